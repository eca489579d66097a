/** What a command is: data for parsing, help and completion, and a way to load the code behind it. */
import type { CliContext, ProgramName } from "./cli-context.ts";
import type { CliFlag } from "./flags/flag.ts";
import type { CommandOptions } from "./flags/parse-flags.ts";

export interface Invocation {
  readonly command: Command;
  readonly options: CommandOptions;
  readonly args: readonly string[];
  /** Of a command that takes another one: the words behind `--`; undefined where there is no `--`. */
  readonly words?: readonly string[] | undefined;
  /** All commands of the program, to be completed. */
  readonly commands: CommandSource;
}

export interface CommandModule {
  /** Gives the exit code; nothing means 0. Whatever it throws is printed and decides the exit code. */
  run(invocation: Invocation, context: CliContext): Promise<number | void>;
}

/** How many arguments a command takes, and 0.16.2's sentence when there are fewer or more. */
export interface Arity {
  readonly min?: number;
  readonly max?: number;
  readonly message: string;
  readonly showHelp?: boolean;
}

export interface Command {
  /** As typed; a subcommand's with its parent: `driver ls`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
  readonly description?: string | ((program: ProgramName) => string);
  /** Argument part of the usage line; `[arg...]`, as 0.16.2 prints for every command, unless given. */
  readonly argumentText?: string;
  readonly flags: readonly CliFlag[];
  /** `driver`: the chosen driver's create flags are added. `none`: everything behind the command's name is an argument. */
  readonly flagSource?: "own" | "driver" | "none";
  /**
   * What stands behind `--` is a command to be run, and in {@link Invocation.words}. `named`: so is all that stands behind
   * the first argument, flags and all.
   */
  readonly takesCommand?: "behind-dashes" | "named";
  readonly arity?: Arity;
  /** Takes several machines, which a filter or `--all` may choose in place of names: then none need be given. */
  readonly selects?: boolean;
  /** Cuts machines off for a while: those that were selected, and not named, are shown and asked about first. */
  readonly cutsOff?: boolean;
  /**
   * `facts`: standard output is read by programs, so events go to standard error. `progress`: events are what the
   * command prints.
   */
  readonly output: "facts" | "progress";
  readonly hidden?: boolean;
  /** Where the command has a `load` too, it takes arguments of its own. */
  readonly subcommands?: readonly Command[];
  /** A lone word that names a subcommand is an argument: of a command that took any before there were subcommands. */
  readonly loneWordIsArgument?: boolean;
  /** Absent where there are only subcommands. */
  readonly load?: () => Promise<CommandModule>;
}

/** The commands of a program. */
export interface CommandSource {
  /** By name or alias. */
  find(name: string): Promise<Command | undefined>;
  /** In the order help lists them. */
  all(): Promise<readonly Command[]>;
}

/** @param often those that run most, which are known without the table of all */
export function commandSource(often: readonly Command[], all = async (): Promise<readonly Command[]> => often): CommandSource {
  return { find: async (name) => findCommand(often, name) ?? findCommand(await all(), name), all };
}

/** The command of a name or alias. */
export function findCommand(commands: readonly Command[], name: string): Command | undefined {
  return commands.find((command) => lastWord(command.name) === name || command.aliases?.includes(name));
}

/** `ls` of `driver ls`. */
export function lastWord(name: string): string {
  return name.slice(name.lastIndexOf(" ") + 1);
}
