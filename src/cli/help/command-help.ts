/** The help of one command, in the layout of 0.16.2. */
import { lastWord, type Command } from "../command.ts";
import type { ProgramName } from "../cli-context.ts";
import type { CliFlag } from "../flags/flag.ts";
import { alignRows } from "./align.ts";
import { descriptionOf, usageOf } from "./command-text.ts";
import { flagRows } from "./flag-rows.ts";

/** @param flags the command's own flags, for `create` with the driver's. */
export function commandHelp(command: Command, flags: readonly CliFlag[], program: ProgramName): string {
  const rows = flagRows(flags);
  const sections = [
    `Usage: ${usageOf(command, flags, "docker-machine")}\n\n${command.summary}`,
    ...describe(command, program),
    ...(rows.length === 0 ? [] : [`Options:\n   \n${alignRows(rows.map(([left, right]) => [`   ${left}`, right])).join("\n")}`]),
    ...listSubcommands(command),
  ];
  return `${sections.join("\n\n")}\n`;
}

function describe(command: Command, program: ProgramName): string[] {
  const text = descriptionOf(command, program);
  return text === undefined ? [] : [`Description:\n   ${text}`];
}

function listSubcommands(command: Command): string[] {
  if (command.subcommands === undefined) return [];
  const rows = command.subcommands.map(({ name, summary }) => [`   ${lastWord(name)}`, summary] as const);
  return [`Commands:\n${alignRows(rows).join("\n")}`];
}
