/** `team.json`: makes a folder the store of a team, as seen by one of its members. Holds no secret, only where one is. */
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import { teamFileName } from "../store/paths.ts";
import { readRegularFileIfExists, writeFileAtomic } from "../system/files.ts";

export interface TeamFile {
  readonly version: 1;
  /** As {@link parsePlace} takes it. */
  readonly url: string;
  /** Which team's store it is, whatever stands at the address later. */
  readonly team: string;
  /** The person's name in the team. */
  readonly member: string;
  /** Where the age identity is: a reference. */
  readonly identity: string;
  /** How the database is logged in to: a name, and a reference to the password. */
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** Absolute paths of PEM files: roots that are believed, and what is shown of oneself. */
  readonly ca?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** Undefined for a store of one computer. Throws `store-unusable`, `record-from-future`. */
export async function readTeamFile(root: string): Promise<TeamFile | undefined> {
  const file = path.join(root, teamFileName);
  const text = (await readRegularFileIfExists(file))?.toString("utf8");
  if (text === undefined) return undefined;
  const found = parsed(text) as (Omit<TeamFile, "version"> & { readonly version?: unknown }) | undefined;
  if (typeof found?.version === "number" && found.version > 1)
    throw new MachineError("record-from-future", `${file} was written by a newer version`, { hint: "Update docker-machine." });
  const needed = [found?.url, found?.team, found?.member, found?.identity];
  if (found?.version !== 1 || !needed.every((value) => typeof value === "string"))
    throw new MachineError("store-unusable", `${file} is no description of a team's store`, {
      hint: "Move it away, and join the team again with: docker-machine store join URL",
    });
  return { ...found, version: 1 };
}

export async function writeTeamFile(root: string, file: TeamFile): Promise<void> {
  await writeFileAtomic(path.join(root, teamFileName), `${JSON.stringify(file, undefined, 2)}\n`, 0o600);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
