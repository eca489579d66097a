/** Flags of commands, as data: the create flags' shape and what only a command line needs. */
import type { CreateFlag } from "../../driver-kit/create-flag.ts";

export type CliFlag = CreateFlag & {
  /** Other names, without dashes; shown after the name: `--driver, -d`. */
  readonly aliases?: readonly string[] | undefined;
  /** Accepted, but in no help text and no completion. */
  readonly hidden?: boolean | undefined;
  /** The only values allowed. */
  readonly choices?: readonly string[] | undefined;
};

/** Ends every flag list; listed in the program's own help only, as in 0.16.2. */
export const helpFlag: CliFlag = { kind: "bool", name: "help", aliases: ["h"], usage: "show help" };

/** `-x` for one letter, `--name` for more. */
export function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

/** All names of a flag that are shown, the main one first. */
export function namesOf(flag: CliFlag): readonly string[] {
  return [flag.name, ...(flag.aliases ?? [])];
}

/** All names by which a flag is known: `--yes` is 0.16.2's `-y`, whose help does not show it. */
export function acceptedNamesOf(flag: CliFlag): readonly string[] {
  return flag.name === "y" ? [...namesOf(flag), "yes"] : namesOf(flag);
}
