/**
 * Help for people at a terminal: wrapped to its width, flags in groups, examples. What pipes get is 0.16.2's layout,
 * which completion scripts read.
 */
import { lastWord, type Command } from "../command.ts";
import type { ProgramName } from "../cli-context.ts";
import { sharedCreateFlags } from "../create/shared-flags.ts";
import type { CliFlag } from "../flags/flag.ts";
import { wrap } from "../output/wrap.ts";
import { commit, version } from "../version.ts";
import { descriptionOf, usageOf } from "./command-text.ts";
import { examples } from "./examples.ts";
import { flagRow, flagRows } from "./flag-rows.ts";

const widest = 100;
const narrowest = 40;
/** What stands on the left is as wide as this at most, and a third of the terminal; what is wider has a line of its own. */
const widestLeft = 26;

/** @param columns of the terminal */
export function terminalHelp(command: Command, flags: readonly CliFlag[], program: ProgramName, columns: number): string {
  const width = widthFor(columns);
  const description = descriptionOf(command, program);
  const sections = [
    `Usage: ${usageOf(command, flags, program.base)}`,
    wrapped(command.summary, width).join("\n"),
    ...(description === undefined ? [] : [wrapped(description, width).join("\n")]),
    ...groupsOf(command, flags).map(({ title, rows }) => `${title}:\n${list(rows, width).join("\n")}`),
    ...examplesOf(command, program, width),
  ];
  return `${sections.join("\n\n")}\n`;
}

/** @param flags the global ones */
export function terminalAppHelp(
  commands: readonly Command[],
  flags: readonly CliFlag[],
  { base }: ProgramName,
  columns: number,
): string {
  const width = widthFor(columns);
  const shown = commands.filter(({ hidden }) => hidden !== true);
  const sections = [
    `Usage: ${base} [OPTIONS] COMMAND [arg...]`,
    "Create and manage machines running Docker.",
    `Version: ${version}, build ${commit}`,
    `Options:\n${terminalFlags(flags, columns).join("\n")}`,
    `Commands:\n${list(shown.map(commandRow), width).join("\n")}`,
    wrapped(`Run '${base} COMMAND --help' for more information on a command.`, width).join("\n"),
  ];
  return `${sections.join("\n\n")}\n`;
}

/** A line or more for each flag that help shows. */
export function terminalFlags(flags: readonly CliFlag[], columns: number): string[] {
  return list(flagRows(flags), widthFor(columns));
}

function widthFor(columns: number): number {
  return Math.max(Math.min(columns, widest), narrowest);
}

/** What is shown with a mistake: how the command is used, and where the rest is. */
export function shortHelp(command: Command, flags: readonly CliFlag[], program: ProgramName): string {
  return `Usage: ${usageOf(command, flags, program.base)}\nSee '${program.path} ${command.name} --help'.\n`;
}

type Row = readonly [left: string, right: string];
interface Group {
  readonly title: string;
  readonly rows: readonly Row[];
}

/** Which flags belong together, by how their names begin, in the order they are shown. */
const families: readonly (readonly [title: string, pattern: RegExp])[] = [
  ["Engine", /^engine-/u],
  ["TLS", /^(?:tls|ssh-host-key)/u],
  ["Swarm (classic)", /^swarm/u],
];

function groupsOf(command: Command, flags: readonly CliFlag[]): Group[] {
  const shared = new Set(sharedCreateFlags.map(({ name }) => name));
  const titleOf = ({ name }: CliFlag): string => {
    if (command.flagSource !== "driver") return "Options";
    if (!shared.has(name)) return "Driver";
    return families.find(([, pattern]) => pattern.test(name))?.[0] ?? "Options";
  };
  const shown = flags.filter(({ hidden }) => hidden !== true);
  const titles = ["Options", "Driver", ...families.map(([title]) => title)];
  const groups = titles.map((title) => ({ title, rows: shown.filter((flag) => titleOf(flag) === title).map(flagRow) }));
  const inner = (command.subcommands ?? []).filter(({ hidden }) => hidden !== true);
  const commands = { title: "Commands", rows: inner.map(commandRow) };
  return [...groups, commands].filter(({ rows }) => rows.length > 0);
}

function commandRow({ name, summary }: Command): Row {
  return [lastWord(name), summary];
}

function list(rows: readonly Row[], width: number): string[] {
  const leftWidth = Math.min(widestLeft, Math.floor(width / 3));
  const indent = " ".repeat(leftWidth + 4);
  return rows.flatMap(([left, right]) => {
    const lines = wrapped(right, width, indent);
    // What may be given several times.
    const head = `  ${left.replace(/ \[.*\]$/u, " ...").trimEnd()}`;
    if (head.length > leftWidth + 2) return [head, ...lines];
    return [head.padEnd(indent.length) + (lines[0] ?? "").slice(indent.length), ...lines.slice(1)].map((line) => line.trimEnd());
  });
}

function examplesOf({ name }: Command, { base }: ProgramName, width: number): string[] {
  const found = examples[name];
  if (found === undefined) return [];
  const lines = found.flatMap(({ does, words }) => [...wrapped(`# ${does}`, width, "  "), `  ${base} ${words}`]);
  return [`Examples:\n${lines.join("\n")}`];
}

/** Lines of the text, each behind the indentation. */
function wrapped(text: string, width: number, indent = ""): string[] {
  const words = text.split(/\s+/u).filter((word) => word !== "");
  return wrap(words, width - indent.length).map((line) => indent + line);
}
