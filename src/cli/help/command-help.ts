/** The help of one command, in the layout of 0.16.2. */
import { lastWord, type Command } from "../command.ts";
import type { ProgramName } from "../cli-context.ts";
import type { CliFlag } from "../flags/flag.ts";
import { alignRows } from "./align.ts";
import { flagRows } from "./flag-rows.ts";

/** @param flags the command's own flags, for `create` with the driver's. */
export function commandHelp(command: Command, flags: readonly CliFlag[], program: ProgramName): string {
  const rows = flagRows(flags);
  const options = rows.length === 0 ? "" : " [OPTIONS]";
  const sections = [
    `Usage: docker-machine ${command.name}${options} ${command.argumentText ?? argumentTextOf(command)}\n\n${command.summary}`,
    ...describe(command, program),
    ...(rows.length === 0 ? [] : [`Options:\n   \n${alignRows(rows.map(([left, right]) => [`   ${left}`, right])).join("\n")}`]),
    ...listSubcommands(command),
  ];
  return `${sections.join("\n\n")}\n`;
}

function argumentTextOf(command: Command): string {
  return command.load !== undefined || command.subcommands === undefined ? "[arg...]" : "COMMAND [arg...]";
}

function describe(command: Command, program: ProgramName): string[] {
  if (command.description === undefined) return [];
  const text = typeof command.description === "string" ? command.description : command.description(program);
  return [`Description:\n   ${text}`];
}

function listSubcommands(command: Command): string[] {
  if (command.subcommands === undefined) return [];
  const rows = command.subcommands.map(({ name, summary }) => [`   ${lastWord(name)}`, summary] as const);
  return [`Commands:\n${alignRows(rows).join("\n")}`];
}
