/**
 * Command lines in the documents, in blocks and within sentences, are ones that the program takes: the command is there, and so
 * are its flags, those of the driver that the line names among them, and its arguments are as many as it takes. They are not run:
 * what they do is other tests' matter. Scripts of this project that are named are there.
 */
import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { findBuiltinDriver } from "../src/assembly/driver-catalog.ts";
import { findCommand, type Command } from "../src/cli/command.ts";
import { commandTable } from "../src/cli/command-table.ts";
import { mergeCreateFlags, sharedCreateFlags } from "../src/cli/create/shared-flags.ts";
import { findDriverName } from "../src/cli/flags/driver-name.ts";
import type { CliFlag } from "../src/cli/flags/flag.ts";
import { globalFlags, withGlobalFlags } from "../src/cli/flags/global-flags.ts";
import { parseFlags } from "../src/cli/flags/parse-flags.ts";
import { isSelected } from "../src/cli/selection/selection-flags.ts";

interface Line {
  readonly where: string;
  readonly words: readonly string[];
  /** To be typed as it stands: within a sentence a command may be named without its arguments. */
  readonly isWhole: boolean;
}

const files = globSync(["*.md", "docs/**/*.md"]);

/** What stands before the program in a line of shell. */
const before = /(?:^|[$|] |"?\$\(|&& |; |sudo |\w=\S+ )(?:\.\/)?docker-machine(?: ([^#|;&)`]*))?/gu;

/** In code blocks, continued lines put together, and in code within sentences. */
function linesOf(file: string): Line[] {
  const text = readFileSync(file, "utf8");
  const blocks = [...text.matchAll(/^ *```(?:sh|console|bash)?\n(.*?)^ *```$/gmsu)];
  const inBlocks = blocks.flatMap(({ 1: block = "", index }) =>
    block
      .replaceAll(/\\\n\s*/gu, " ")
      .split("\n")
      .map((line) => ({ line: line.trim(), index, isWhole: true })),
  );
  const prose = text.replaceAll(/^ *```.*?^ *```$/gmsu, (block) => block.replaceAll(/[^\n]/gu, " "));
  const spans = [...prose.matchAll(/`([^`\n]+)`/gu)].map(({ 1: line = "", index }) => ({ line, index, isWhole: false }));
  return [...inBlocks, ...spans].flatMap(({ line, index, isWhole }) => {
    const where = `${file}:${text.slice(0, index).split("\n").length}`;
    return [...line.matchAll(before)].map(([, rest = ""]) => ({ where, words: wordsOf(rest), isWhole }));
  });
}

/** As a shell splits them, without expanding anything; what goes to files and comes from them is the shell's. */
function wordsOf(text: string): string[] {
  return [...text.replaceAll(/ \d?[<>]+ ?\S+/gu, "").matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/gu)].map(([word]) =>
    word.replaceAll(/^["']|["']$/gu, ""),
  );
}

/** Shown as a pattern, not to be typed: `[OPTIONS]`, `NAME…`. */
function isPattern(words: readonly string[]): boolean {
  return words.some((word) => /^\[|^(?:COMMAND|SHELL|FLAG|WORDS|OPTIONS)$|…|\.\.\.$/u.test(word));
}

async function complaintOf({ words, isWhole }: Line): Promise<string | undefined> {
  try {
    const { args } = parseFlags(words, globalFlags, {}, "leading");
    const [name, ...rest] = args;
    // The wrapper of shells has one command more.
    if (name === undefined || name === "" || name === "use") return undefined;
    const command = findCommand(commandTable, name);
    if (command === undefined) return `there is no command ${name}`;
    await parseCommand(command, rest, isWhole);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

async function parseCommand(command: Command, words: readonly string[], isWhole: boolean): Promise<void> {
  if (command.flagSource === "none") return;
  const inner = findCommand(command.subcommands ?? [], words[0] ?? "");
  if (inner !== undefined) return await parseCommand(inner, words.slice(1), isWhole);
  const flags = command.flagSource === "driver" ? await createFlags(words) : command.flags;
  const placement = command.takesCommand === "named" ? "leading" : "anywhere";
  const { args, options, dashesAt = args.length } = parseFlags(words, withGlobalFlags(flags), {}, placement);
  const { min = 0, max = Infinity, message = "" } = command.arity ?? {};
  const count = command.takesCommand === undefined ? args.length : dashesAt;
  if (isWhole && !(command.selects === true && isSelected(options)) && (count < min || (count > max && placement === "anywhere")))
    throw new Error(message);
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

test("every script that the documents name is there", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as { readonly scripts: Readonly<Record<string, string>> };
  const named = files.flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\b(?:npm run ([\w:-]+)|(?:node|sh) (scripts\/[\w./-]+))/gu)].map(
      ([line, script, path]) => ({
        where: file,
        line,
        isThere: script === undefined ? existsSync(path ?? "") : Object.hasOwn(scripts, script),
      }),
    ),
  );
  assert.ok(named.length > 20, `only ${named.length} were found`);
  assert.deepEqual(
    named.filter(({ isThere }) => !isThere),
    [],
  );
});
