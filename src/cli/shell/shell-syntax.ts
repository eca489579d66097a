/** How each shell sets and unsets a variable, writes a comment, and runs the output of a command. */
import { quoteWord } from "../../ssh/shell-quote.ts";

export interface ShellSyntax {
  /** The line that exports a variable; undefined when the shell has no way to write that value. */
  readonly set: (name: string, value: string) => string | undefined;
  readonly unset: (name: string) => string;
  readonly comment: string;
  /** What to type so that the shell executes the output of `command`. */
  readonly usage: (command: string) => string;
  /** One argument of that command. */
  readonly quoteWord: (word: string) => string;
}

const plainWord = /^[\w@%+=:,./~-]+$/u;

const sh: ShellSyntax = {
  set: (name, value) => `export ${name}=${shValue(value)}`,
  unset: (name) => `unset ${name}`,
  comment: "#",
  usage: (command) => `eval $(${command})`,
  quoteWord,
};

const fish: ShellSyntax = {
  set: (name, value) => `set -gx ${name} ${fishValue(value)};`,
  unset: (name) => `set -e ${name};`,
  comment: "#",
  usage: (command) => `eval (${command})`,
  quoteWord: (word) => (plainWord.test(word) ? word : `'${word.replaceAll(/['\\]/gu, String.raw`\$&`)}'`),
};

const powershell: ShellSyntax = {
  set: (name, value) => `$Env:${name} = ${powershellValue(value)}`,
  unset: (name) => String.raw`Remove-Item Env:\\${name}`,
  comment: "#",
  usage: (command) => `& ${command} | Invoke-Expression`,
  quoteWord: (word) => (plainWord.test(word) ? word : `'${word.replaceAll("'", "''")}'`),
};

const cmd: ShellSyntax = {
  set: (name, value) => (/[\r\n]/u.test(value) ? undefined : cmdAssignment(name, value)),
  unset: (name) => `SET ${name}=`,
  comment: "REM",
  usage: (command) => `\t@FOR /f "tokens=*" %i IN ('${command}') DO @%i`,
  quoteWord: (word) => (plainWord.test(word) ? word : `"${word.replaceAll('"', '""')}"`),
};

const tcsh: ShellSyntax = {
  set: (name, value) => (/[\r\n]/u.test(value) ? undefined : `setenv ${name} ${tcshValue(value)};`),
  unset: (name) => `unsetenv ${name};`,
  comment: ":",
  usage: (command) => `eval \`${command}\``,
  quoteWord: (word) => (plainWord.test(word) ? word : tcshQuoted(word)),
};

const emacs: ShellSyntax = {
  set: (name, value) => `(setenv "${name}" "${value.replaceAll(/["\\]/gu, String.raw`\$&`)}")`,
  unset: (name) => `(setenv "${name}" nil)`,
  comment: ";;",
  usage: (command) => `(with-temp-buffer (shell-command "${command}" (current-buffer)) (eval-buffer))`,
  quoteWord: sh.quoteWord,
};

/** By the word that `--shell` takes; what is not here is a Bourne-like shell. */
export const shellSyntaxes: Readonly<Record<string, ShellSyntax>> & { readonly sh: ShellSyntax } = {
  sh,
  fish,
  powershell,
  pwsh: powershell,
  cmd,
  tcsh,
  csh: tcsh,
  emacs,
};

/**
 * What `eval $(…)`, without quotes around it, does not hand on: runs of white space become one space, and words are
 * taken for patterns of file names (and in some shells of braces).
 */
const tornByEval = /[*?[\]{}\t\v\f\r\n]| {2}/u;

/** In double quotes; a backslash is one unless it stands before a character that it would quote. */
function shValue(value: string): string {
  if (tornByEval.test(value)) return `"$(printf '${octal(value)}')"`;
  return `"${value.replaceAll(/["$`]|\\(?=["$`\\]|$)/gu, String.raw`\$&`)}"`;
}

function fishValue(value: string): string {
  const escaped = value.replaceAll(/["$]|\\(?=["$\\\n]|$)/gu, String.raw`\$&`);
  // Fish splits output at line breaks, so each is written as an escape between two quoted parts.
  return `"${escaped.replaceAll("\n", String.raw`"\n"`)}"`;
}

/** A backquote escapes. PowerShell takes typographic double quotes for quotes, too. */
function powershellValue(value: string): string {
  const escaped = value.replaceAll(/["\u201c-\u201e$`]/gu, "`$&");
  return `"${escaped.replaceAll("\n", "`n").replaceAll("\r", "`r")}"`;
}

/** Quotes around the whole assignment keep cmd from acting on what is in it. */
function cmdAssignment(name: string, value: string): string {
  return /[&|<>^()"]/u.test(value) ? `SET "${name}=${value}"` : `SET ${name}=${value}`;
}

function tcshValue(value: string): string {
  if (tornByEval.test(value)) return `"\`printf '${octal(value)}'\`"`;
  return /["$`!]/u.test(value) ? tcshQuoted(value) : `"${value}"`;
}

/** Single quotes; history expansion is active even there. */
function tcshQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`).replaceAll("!", String.raw`\!`)}'`;
}

/** The bytes as octal escapes of `printf`, but for what is safe everywhere. */
function octal(value: string): string {
  return Array.from(Buffer.from(value), (byte) => {
    const character = String.fromCharCode(byte);
    return /[\w/.:,-]/u.test(character) ? character : `\\${byte.toString(8).padStart(3, "0")}`;
  }).join("");
}
