/** The runtimes that the product runs on and that are at hand, for tests that start processes of their own. */
import { existsSync } from "node:fs";
import * as path from "node:path";

export interface Runtime {
  readonly name: "node" | "bun";
  readonly program: string;
}

const bun = path.resolve(import.meta.dirname, "../../../tools/toolchain/node_modules/.bin/bun");

/** Node, and Bun when the toolchain is installed. */
export const runtimes: readonly Runtime[] = [
  { name: "node", program: process.execPath },
  ...(existsSync(bun) ? [{ name: "bun", program: bun } as const] : []),
];

/** Tests that take minutes run when this is set; each says how it is shorter otherwise. */
export const isLongRun = process.env["DOCKER_MACHINE_LONG_TESTS"] === "1";
