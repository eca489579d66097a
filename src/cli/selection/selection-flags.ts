/** Flags that choose machines in place of their names, for every command that takes several and makes none. */
import type { CliFlag } from "../flags/flag.ts";
import type { CommandOptions } from "../flags/parse-flags.ts";

export const filterFlag: CliFlag = {
  kind: "strings",
  name: "filter",
  usage: "In place of names: machines that pass, by label=, driver=, state= or name=",
};

export const allFlag: CliFlag = { kind: "bool", name: "all", usage: "In place of names: all machines" };

export const selectionFlags: readonly CliFlag[] = [filterFlag, allFlag];

/** Whether machines are selected by something else than their names. */
export function isSelected(options: CommandOptions): boolean {
  return options.bool("all") || options.strings("filter").length > 0;
}

/** For commands that cut machines off: a selection is shown and asked about first. */
export const yesFlag: CliFlag = {
  kind: "bool",
  name: "y",
  usage: "Assumes automatic yes to proceed with the machines that were selected",
};
