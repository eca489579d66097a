/** Flags that the commands on a fleet's file share. */
import { detailedExitCode } from "../exit-code.ts";
import type { CliFlag } from "../flags/flag.ts";

export const defaultFile = "machines.yml";

export const fileFlag: CliFlag = {
  kind: "string",
  name: "file",
  aliases: ["f"],
  usage: "The fleet's file",
  value: defaultFile,
};

/** Its exit status tells the outcome: `exit-code.ts` looks for it where a command line cannot even be read. */
export const detailedExitFlag: CliFlag = {
  kind: "bool",
  name: detailedExitCode,
  usage: "End with 2 where something differs, with 1 for every error, and with 0 where nothing is to be done",
};

export const driftFlag: CliFlag = {
  kind: "bool",
  name: "drift",
  usage: "Look at the machines too, for what differs from their records",
};

export const ignoreFlag: CliFlag = {
  kind: "strings",
  name: "ignore",
  usage: "Pass over what differs under this key, or under those that begin so where it ends in *",
};
