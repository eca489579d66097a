/** Whether a store is a team's: one look, so that a store of one computer pays for no more than that. */
import { existsSync } from "node:fs";
import * as path from "node:path";
import { teamFileName } from "./paths.ts";

export function isTeamStore(root: string): boolean {
  return existsSync(path.join(root, teamFileName));
}
