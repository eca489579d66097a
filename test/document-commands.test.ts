/**
 * Command lines in the documents are ones that the program takes: the command is there, and so are its flags, those of
 * the driver that the line names among them. What they do is other tests' matter.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { findBuiltinDriver } from "../src/assembly/driver-catalog.ts";
import { findCommand, type Command } from "../src/cli/command.ts";
import { commandTable } from "../src/cli/command-table.ts";
import { mergeCreateFlags, sharedCreateFlags } from "../src/cli/create/shared-flags.ts";
import { findDriverName } from "../src/cli/flags/driver-name.ts";
import type { CliFlag } from "../src/cli/flags/flag.ts";
import { globalFlags, withGlobalFlags } from "../src/cli/flags/global-flags.ts";
import { parseFlags } from "../src/cli/flags/parse-flags.ts";

interface Line {
  readonly where: string;
  readonly words: readonly string[];
}

const files = globSync(["*.md", "docs/**/*.md"]);

/** Lines of code blocks that begin with the program, continued lines put together. */
function linesOf(file: string): Line[] {
  const text = readFileSync(file, "utf8");
  const blocks = [...text.matchAll(/^```(?:sh|console|bash)?\n(.*?)^```$/gmsu)];
  return blocks.flatMap(({ 1: block = "", index }) => {
    const first = text.slice(0, index).split("\n").length + 1;
    const joined = block.replaceAll(/\\\n\s*/gu, " ");
    return joined.split("\n").flatMap((line, row) => {
      const commands = [...line.matchAll(/(?:^|\$ |"\$\(|&& |; )(?:\.\/)?docker-machine(?: ([^#|;&)]*))?/gu)];
      return commands.map(([, rest = ""]) => ({ where: `${file}:${first + row}`, words: wordsOf(rest) }));
    });
  });
}

/** As a shell splits them, without expanding anything. */
function wordsOf(text: string): string[] {
  return [...text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/gu)].map(([word]) => word.replaceAll(/^["']|["']$/gu, ""));
}

/** Shown as a pattern, not to be typed: `[OPTIONS]`, `NAME…`. */
function isPattern(words: readonly string[]): boolean {
  return words.some((word) => /^\[|^COMMAND$|^…$|\.\.\.$/u.test(word));
}

async function complaintOf({ words }: Line): Promise<string | undefined> {
  try {
    const { args } = parseFlags(words, globalFlags, {}, "leading");
    const [name, ...rest] = args;
    if (name === undefined) return undefined;
    const command = findCommand(commandTable, name);
    if (command === undefined) return `there is no command ${name}`;
    await parseCommand(command, rest);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function parseCommand(command: Command, words: readonly string[]): Promise<void> {
  if (command.flagSource === "none") return;
  const inner = findCommand(command.subcommands ?? [], words[0] ?? "");
  if (inner !== undefined) return await parseCommand(inner, words.slice(1));
  const flags = command.flagSource === "driver" ? await createFlags(words) : command.flags;
  parseFlags(words, withGlobalFlags(flags), {}, command.takesCommand === "named" ? "leading" : "anywhere");
}

/** Of a driver that is none of ours, only the shared flags are known. */
async function createFlags(words: readonly string[]): Promise<readonly CliFlag[]> {
  const name = findDriverName(words, sharedCreateFlags, {}) ?? "qemu";
  const driver = await findBuiltinDriver(name);
  const unknown = words.flatMap((word) => /^--([a-z0-9-]+)/u.exec(word)?.[1] ?? []);
  const own = driver?.flags ?? unknown.map((flag): CliFlag => ({ kind: "string", name: flag, usage: "" }));
  return mergeCreateFlags(sharedCreateFlags, own);
}

test("every command line in the documents is one that the program takes", async () => {
  const lines = files.flatMap(linesOf).filter(({ words }) => !isPattern(words));
  assert.ok(lines.length > 100, `only ${lines.length} lines were found`);
  const complaints = await Promise.all(
    lines.map(async (line) => {
      const complaint = await complaintOf(line);
      return complaint === undefined ? [] : [`${line.where}: ${complaint}: ${line.words.join(" ")}`];
    }),
  );
  assert.deepEqual(complaints.flat(), []);
});
