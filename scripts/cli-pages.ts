/** What the pages of `docs/cli` and the man pages tell of each command, from the command tables and the examples. */
import { commandTable } from "../src/cli/command-table.ts";
import type { Command } from "../src/cli/command.ts";
import { globalFlags } from "../src/cli/flags/global-flags.ts";
import { dashed, namesOf, type CliFlag } from "../src/cli/flags/flag.ts";
import { descriptionOf, usageOf } from "../src/cli/help/command-text.ts";
import { examples, type Example } from "../src/cli/help/examples.ts";
import { ownCommands } from "../src/cli/own-commands.ts";
import { defaultValue } from "../src/driver-kit/create-flag.ts";

export const programName = "docker-machine";

export interface FlagEntry {
  /** `--driver, -d`. */
  readonly names: string;
  readonly takes: "nothing" | "a value" | "values";
  readonly fallback: string;
  readonly variables: readonly string[];
  readonly usage: string;
}

export interface CommandPage {
  /** `driver ls`. */
  readonly name: string;
  readonly usage: string;
  readonly summary: string;
  readonly description: string;
  readonly flags: readonly FlagEntry[];
  readonly examples: readonly Example[];
  /** Pages of what it holds. */
  readonly inner: readonly CommandPage[];
  readonly isOurs: boolean;
}

/** All commands that help lists. */
export function commandPages(): readonly CommandPage[] {
  return commandTable.filter(({ hidden }) => hidden !== true).map((command) => pageOf(command, ownCommands.includes(command)));
}

/** Flags that stand before the command, or behind it. */
export function globalEntries(): readonly FlagEntry[] {
  return entriesOf(globalFlags);
}

function pageOf(command: Command, isOurs: boolean): CommandPage {
  const { name, summary, subcommands = [] } = command;
  const inner = subcommands.filter(({ hidden }) => hidden !== true).map((each) => pageOf(each, true));
  const flags = entriesOf(command.flags);
  return {
    name,
    usage: usageOf(command, command.flags, programName),
    summary,
    description: descriptionOf(command, { path: programName, base: programName }) ?? "",
    flags,
    examples: examples[name] ?? [],
    inner,
    isOurs,
  };
}

function entriesOf(flags: readonly CliFlag[]): readonly FlagEntry[] {
  return flags.filter(({ hidden }) => hidden !== true).map(entryOf);
}

function entryOf(flag: CliFlag): FlagEntry {
  const value = defaultValue(flag);
  const isPlain = value === "" || value === false || (Array.isArray(value) && value.length === 0);
  return {
    names: namesOf(flag).map(dashed).join(", "),
    takes: flag.kind === "bool" ? "nothing" : flag.kind === "strings" ? "values" : "a value",
    fallback: isPlain ? "" : String(value as string | number | boolean),
    variables: (flag.envVar ?? "").split(",").filter((name) => name !== ""),
    usage: flag.usage.replaceAll(/\s*\n\s*/gu, " "),
  };
}
