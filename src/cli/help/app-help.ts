/** The help of the whole program, in the layout of 0.16.2. */
import type { Command } from "../command.ts";
import type { ProgramName } from "../cli-context.ts";
import type { CliFlag } from "../flags/flag.ts";
import { commit, version } from "../version.ts";
import { alignRows } from "./align.ts";
import { flagRows } from "./flag-rows.ts";

const indent = "  ";

export function appHelp(commands: readonly Command[], flags: readonly CliFlag[], program: ProgramName): string {
  return `Usage: ${program.base} [OPTIONS] COMMAND [arg...]

Create and manage machines running Docker.

Version: ${version}, build ${commit}

Author:
  Docker Machine Contributors - <https://github.com/docker/machine>

Options:
${list(flagRows(flags))}
Commands:
${list(commands.filter((command) => command.hidden !== true).map(commandRow))}
Run '${program.base} COMMAND --help' for more information on a command.
`;
}

/** Every line is followed by the indentation of the next, also the last: 0.16.2's layout. */
function list(rows: readonly (readonly [string, string])[]): string {
  return `${alignRows(rows.map(([left, right]) => [indent + left, right])).join("\n")}\n${indent}`;
}

function commandRow(command: Command): readonly [string, string] {
  return [command.name, command.summary];
}
