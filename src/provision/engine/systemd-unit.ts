/**
 * The parts of systemd's unit syntax that the engine's drop-in needs: words that arrive unchanged at the program, and
 * the command line that a unit starts now. Rules from systemd.service(5) and systemd.syntax(7). Pure.
 */
import type { UnitFile } from "../facts/facts.ts";

const plainExecWord = /^[A-Za-z0-9_/.:=@+,[\]-]+$/u;

function escapedInQuotes(text: string): string {
  return text.replace(/[\s\S]/gu, escapedCharacter);
}

function escapedCharacter(character: string): string {
  if (character === "\\" || character === '"') return `\\${character}`;
  if (character === "%") return "%%";
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  const code = character.codePointAt(0) ?? 0;
  return code < 0x20 || code === 0x7f ? `\\x${code.toString(16).padStart(2, "0")}` : character;
}

/**
 * One word of ExecStart=. `%` introduces a specifier and `$` a variable, inside quotes as well; a lone `;` would end
 * the command, so everything unusual stands in quotes.
 */
export function execWord(word: string): string {
  if (plainExecWord.test(word)) return word;
  if (word === ";") return "\\;";
  return `"${escapedInQuotes(word).replaceAll("$", "$$$$")}"`;
}

/** One assignment of Environment=, where `$` has no meaning. */
export function environmentWord(assignment: string): string {
  return `"${escapedInQuotes(assignment)}"`;
}

/** One line of an EnvironmentFile=, where a shell's escapes count and `%` has no meaning. */
export function environmentFileLine(assignment: string): string {
  const [name = "", ...rest] = assignment.split("=");
  return `${name}="${rest.join("=").replaceAll(/[\\"`$]/gu, "\\$&")}"`;
}

/** The words of a command line as they are written: quotes, escapes and variables untouched. */
export function rawWords(commandLine: string): readonly string[] {
  return commandLine.match(/(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+/gsu) ?? [];
}

/** What a written word means, as far as flags and paths need it. */
export function plainWord(raw: string): string {
  return raw
    .replace(
      /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'/gsu,
      (_, double: string | undefined, single: string | undefined) => double ?? single ?? "",
    )
    .replace(/\\(["'\\ ])/gu, "$1")
    .replaceAll("%%", "%")
    .replaceAll("$$", "$");
}

/** Values of one key of the [Service] section in order; a line that ends in a backslash goes on. */
export function serviceValues(text: string, key: string): readonly string[] {
  const values: string[] = [];
  let section = "";
  for (const line of text.replace(/\\\r?\n/gu, " ").split(/\r?\n/u)) {
    const trimmed = line.trim();
    if (trimmed.startsWith("#") || trimmed.startsWith(";")) continue;
    section = /^\[(.+)\]$/u.exec(trimmed)?.[1] ?? section;
    const match = /^([A-Za-z]+)\s*=\s*(.*)$/su.exec(trimmed);
    if (section === "Service" && match?.[1] === key) values.push(match[2] ?? "");
  }
  return values;
}

export interface ExecStart {
  /** The file that has the last word. */
  readonly path: string;
  readonly words: readonly string[];
}

/** The command line that these files, read in systemd's order, make the unit start. */
export function effectiveExecStart(files: readonly UnitFile[]): ExecStart | undefined {
  let result: ExecStart | undefined;
  for (const file of files) {
    for (const value of serviceValues(file.text, "ExecStart")) {
      result = value === "" ? undefined : { path: file.path, words: rawWords(value) };
    }
  }
  return result;
}
