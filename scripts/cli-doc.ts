/** Writes `docs/cli` from the command tables: `node scripts/cli-doc.ts`. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { commandPages, globalEntries, programName, type CommandPage, type FlagEntry } from "./cli-pages.ts";

const folder = "docs/cli";
const origin = "Made from the command tables by `node scripts/cli-doc.ts`.";

/** The files of the folder, by name. */
export function cliDocuments(): Readonly<Record<string, string>> {
  const pages = commandPages();
  return {
    "README.md": indexDocument(pages),
    ...Object.fromEntries(pages.map((page) => [`${page.name}.md`, `${pageDocument(page, 1).join("\n")}\n${origin}\n`])),
  };
}

/** The files that are there now. */
export function presentCliDocuments(): readonly string[] {
  return readdirSync(folder).toSorted();
}

function indexDocument(pages: readonly CommandPage[]): string {
  const rows = (list: readonly CommandPage[]): string[] => [
    "| Command | |",
    "|---|---|",
    ...list.map(({ name, summary }) => `| [\`${name}\`](${name}.md) | ${cell(summary)} |`),
    "",
  ];
  return [
    "# Commands",
    "",
    "The commands of 0.16.2, with their flags and ours:",
    "",
    ...rows(pages.filter(({ isOurs }) => !isOurs)),
    "And what it did not have:",
    "",
    ...rows(pages.filter(({ isOurs }) => isOurs)),
    "## Options of the program",
    "",
    "Before the command, or behind it where the command has none of that name.",
    "",
    ...flagTable(globalEntries()),
    origin,
    "",
  ].join("\n");
}

function pageDocument(page: CommandPage, level: number): string[] {
  const { name, usage, summary, description, flags, examples, inner } = page;
  return [
    `${"#".repeat(level)} ${programName} ${name}`,
    "",
    `${summary}${/[.?!]$/u.test(summary) ? "" : "."}${description === "" ? "" : ` ${description}`}`,
    "",
    "```",
    usage,
    "```",
    "",
    ...flagTable(flags),
    ...(name === "create" ? ["The flags of each driver: [docs/drivers](../drivers).", ""] : []),
    ...(examples.length === 0 ? [] : exampleBlock(page)),
    ...inner.flatMap((each) => pageDocument(each, level + 1)),
  ];
}

function exampleBlock({ examples }: CommandPage): string[] {
  return ["```sh", ...examples.flatMap(({ does, words }) => [`# ${does}`, `${programName} ${words}`]), "```", ""];
}

function flagTable(flags: readonly FlagEntry[]): string[] {
  if (flags.length === 0) return [];
  const rows = flags.map(({ names, takes, fallback, variables, usage }) => {
    const value = takes === "nothing" ? "" : takes === "values" ? " VALUE, may be repeated" : " VALUE";
    const shownDefault = fallback === "" ? "" : `\`${fallback}\``;
    return `| \`${names}\`${value} | ${shownDefault} | ${variables.map((each) => `\`${each}\``).join(" ")} | ${cell(usage)} |`;
  });
  return ["| Flag | Default | Variable | |", "|---|---|---|---|", ...rows, ""];
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|");
}

if (import.meta.main) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(cliDocuments())) writeFileSync(path.join(folder, name), text);
}
