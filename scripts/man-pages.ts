/** Writes the man pages into a folder: `node scripts/man-pages.ts FOLDER`. One for the program, and one for each command. */
import { mkdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { exitCodes } from "../src/cli/exit-code.ts";
import { version } from "../src/cli/version.ts";
import { commandPages, globalEntries, programName, type CommandPage, type FlagEntry } from "./cli-pages.ts";

/** The pages by file name, as man(7) takes them. */
export function manPages(): Readonly<Record<string, string>> {
  const pages = commandPages();
  return {
    [`${programName}.1`]: programPage(pages),
    ...Object.fromEntries(pages.map((page) => [`${fileName(page.name)}.1`, commandPage(page)])),
  };
}

function fileName(command: string): string {
  return `${programName}-${command.replaceAll(" ", "-")}`;
}

function programPage(pages: readonly CommandPage[]): string {
  return lines([
    title(programName),
    ".SH NAME",
    `${programName} \\- Docker hosts on any machine, managed from one shell`,
    ".SH SYNOPSIS",
    `.B ${programName}`,
    "[OPTIONS] COMMAND [arg...]",
    ".SH DESCRIPTION",
    text(
      "Turns any machine into a Docker host: a box that you have, by SSH, a virtual machine on this computer, a hypervisor's or a cloud's.",
    ),
    ".SH OPTIONS",
    ...globalEntries().flatMap(flagLines),
    ".SH COMMANDS",
    ...pages.flatMap(({ name, summary }) => [".TP", `.BR ${escape(fileName(name))} (1)`, text(summary)]),
    ".SH EXIT STATUS",
    ...exitStatus.flatMap(([status, meaning]) => [".TP", `.B ${status}`, text(meaning)]),
    ".SH FILES",
    ".TP",
    ".I ~/.docker/machine",
    text("The store: certificates, a folder for each machine, the cache."),
    ".TP",
    ".I ~/.config/docker-machine/config.yml",
    text("Defaults and profiles of create."),
  ]);
}

const exitStatus: readonly (readonly [number, string])[] = [
  [exitCodes.ok, "Done."],
  [exitCodes.failure, "Failed, on one machine or several. Of ssh, the remote command's own status."],
  [exitCodes.usage, "The command line is not understood."],
  [exitCodes.preCreateCheck, "The check before create failed, and nothing was made."],
  [exitCodes.machineNotFound, "There is no such machine."],
  [exitCodes.interrupted, "Interrupted."],
];

function commandPage(page: CommandPage): string {
  return lines([
    title(fileName(page.name)),
    ".SH NAME",
    `${escape(fileName(page.name))} \\- ${text(page.summary)}`,
    ...sectionsOf(page, ".SH"),
    ...page.inner.flatMap((inner) => [
      `.SH ${escape(inner.name.toUpperCase())}`,
      text(inner.summary),
      ...sectionsOf(inner, ".SS"),
    ]),
    ".SH SEE ALSO",
    `.BR ${programName} (1)`,
  ]);
}

function sectionsOf({ usage, description, flags, examples }: CommandPage, heading: ".SH" | ".SS"): string[] {
  return [
    `${heading} SYNOPSIS`,
    text(usage),
    ...(description === "" ? [] : [`${heading} DESCRIPTION`, text(description)]),
    ...(flags.length === 0 ? [] : [`${heading} OPTIONS`, ...flags.flatMap(flagLines)]),
    ...(examples.length === 0 ? [] : [`${heading} EXAMPLES`]),
    ...examples.flatMap(({ does, words }) => [".TP", text(does), ".nf", text(`${programName} ${words}`), ".fi"]),
  ];
}

function flagLines({ names, takes, fallback, variables, usage }: FlagEntry): string[] {
  const value = takes === "nothing" ? "" : takes === "values" ? " VALUE..." : " VALUE";
  const more = [
    ...(fallback === "" ? [] : [`Default: ${fallback}.`]),
    ...(variables.length === 0 ? [] : [`Variable: ${variables.join(", ")}.`]),
  ];
  return [".TP", `.B ${escape(names + value)}`, text([usage, ...more].join(" ").replace(/([^.])( Default| Variable)/u, "$1.$2"))];
}

function title(name: string): string {
  return `.TH ${escape(name.toUpperCase())} 1 "" "${programName} ${version}" "User Commands"`;
}

/** A line of text: what roff would take for a request or a hyphen stays what it is (groff_man_style(7)). */
function text(content: string): string {
  return escape(content).replace(/^(?=[.'])/u, "\\&");
}

function escape(content: string): string {
  return content
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll("^", "\\(ha")
    .replaceAll("~", "\\(ti");
}

function lines(parts: readonly string[]): string {
  return `${parts.join("\n")}\n`;
}

if (import.meta.main) {
  const [folder = "build/man"] = process.argv.slice(2);
  mkdirSync(folder, { recursive: true });
  for (const [name, page] of Object.entries(manPages())) writeFileSync(path.join(folder, name), page);
}
