/** docker-machine(1), from the command table: what `--help` says of every command, in one page. Pure. */
import { commandTable } from "../../src/cli/command-table.ts";
import type { Command } from "../../src/cli/command.ts";
import { dashed, namesOf } from "../../src/cli/flags/flag.ts";
import { globalFlags } from "../../src/cli/flags/global-flags.ts";
import type { CliFlag } from "../../src/cli/flags/flag.ts";

export function manPage(version: string): string {
  return [
    `.TH DOCKER\\-MACHINE 1 "" "docker\\-machine ${text(version)}" "User Commands"`,
    ".SH NAME",
    "docker\\-machine \\- create Docker hosts and manage many of them",
    ".SH SYNOPSIS",
    ".B docker\\-machine",
    "[OPTIONS] COMMAND [arg...]",
    ".SH OPTIONS",
    ...globalFlags.flatMap(flagLines),
    ".SH COMMANDS",
    ...commandTable.flatMap(commandLines),
    ".SH FILES",
    ".TP",
    "~/.docker/machine",
    "The store; another by --storage-path or MACHINE_STORAGE_PATH.",
    ".SH EXIT STATUS",
    "0 success, 1 failure, 2 wrong usage, 3 a failed pre\\-create check, 4 no such machine, 130 interrupted;",
    "of ssh the status of the remote command.",
    "",
  ].join("\n");
}

function commandLines(command: Command): string[] {
  if (command.hidden === true) return [];
  const { name, summary, argumentText = "[arg...]", flags, subcommands = [] } = command;
  return [
    `.SS ${text(`${name} ${argumentText}`)}`,
    line(summary),
    ...flags.flatMap(flagLines),
    ...subcommands.flatMap(commandLines),
  ];
}

function flagLines(flag: CliFlag): string[] {
  if (flag.hidden === true) return [];
  const names = namesOf(flag).map(dashed).join(", ");
  const variable = flag.envVar === undefined ? "" : ` [$${flag.envVar}]`;
  return [".TP", `.B ${text(names)}${flag.kind === "bool" ? "" : " \\fIVALUE\\fR"}`, line(`${flag.usage}${variable}`)];
}

/** A line of its own: a dot or a quote at its beginning would be a request. */
function line(source: string): string {
  const escaped = text(source);
  return /^[.']/u.test(escaped) ? `\\&${escaped}` : escaped;
}

function text(source: string): string {
  return source.replaceAll("\\", "\\e").replaceAll("-", "\\-");
}
