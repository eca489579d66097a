/** What the words before the cursor say: which command, what was given, and which flag still waits for its value. */
import { findCommand, type Command } from "../command.ts";
import { helpFlag, acceptedNamesOf, type CliFlag } from "../flags/flag.ts";

export interface TypedWords {
  readonly command: Command | undefined;
  /** The program's commands or, behind a command that has some, its subcommands. */
  readonly commands: readonly Command[];
  /** Arguments of the command so far. */
  readonly args: readonly string[];
  /** Flags that may stand here; none behind `--` and in commands that read no flags. */
  readonly flags: readonly CliFlag[];
  /** The flag whose value is next. */
  readonly awaiting: CliFlag | undefined;
  /** The last value given for `--storage-path`. */
  readonly storagePath: string | undefined;
}

export interface Grammar {
  readonly commands: readonly Command[];
  readonly globalFlags: readonly CliFlag[];
  /** The flags of `create` for the driver that these words name. */
  createFlags(words: readonly string[]): Promise<readonly CliFlag[]>;
}

/** Reads the words between the program and the one under the cursor; what is no valid command line is read as far as it goes. */
export async function readTypedWords(words: readonly string[], grammar: Grammar): Promise<TypedWords> {
  const reader = new Reader(grammar);
  for (const [index, word] of words.entries()) await reader.take(word, words.slice(index + 1));
  return reader;
}

class Reader implements TypedWords {
  readonly #grammar: Grammar;
  command: Command | undefined;
  commands: readonly Command[];
  readonly args: string[] = [];
  flags: readonly CliFlag[];
  awaiting: CliFlag | undefined;
  storagePath: string | undefined;

  constructor(grammar: Grammar) {
    this.#grammar = grammar;
    this.commands = grammar.commands;
    this.flags = grammar.globalFlags;
  }

  async take(word: string, rest: readonly string[]): Promise<void> {
    if (this.awaiting !== undefined) this.#value(this.awaiting, word);
    else if (word === "--") this.flags = [];
    else if (this.flags.length > 0 && /^-./u.test(word)) this.#flag(word);
    else await this.#argument(word, rest);
  }

  #flag(word: string): void {
    const { name, value } = splitFlag(word);
    const flag = this.flags.find((candidate) => acceptedNamesOf(candidate).includes(name));
    if (flag === undefined || flag.kind === "bool") return;
    if (value === undefined) this.awaiting = flag;
    else this.#value(flag, value);
  }

  #value(flag: CliFlag, value: string): void {
    this.awaiting = undefined;
    if (flag.name === "storage-path") this.storagePath = value;
  }

  async #argument(word: string, rest: readonly string[]): Promise<void> {
    const command = this.args.length === 0 ? findCommand(this.commands, word) : undefined;
    if (command === undefined || (this.command !== undefined && this.command.subcommands === undefined)) {
      this.args.push(word);
      return;
    }
    this.command = command;
    this.commands = command.subcommands ?? [];
    this.flags = await this.#flagsOf(command, rest);
  }

  async #flagsOf(command: Command, rest: readonly string[]): Promise<readonly CliFlag[]> {
    if (command.flagSource === "none") return [];
    const own = command.flagSource === "driver" ? await this.#grammar.createFlags(rest) : command.flags;
    const taken = new Set(own.flatMap(acceptedNamesOf));
    return [...own, ...[helpFlag, ...this.#grammar.globalFlags].filter(({ name }) => !taken.has(name))];
  }
}

/** `-name`, `--name`, `--name=value`. */
export function splitFlag(word: string): { readonly name: string; readonly value: string | undefined } {
  const [, name = "", value] = /^--?([^=]*)(?:=(.*))?$/su.exec(word) ?? [];
  return { name, value };
}
