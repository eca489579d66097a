/**
 * From the words typed to an exit code: finds the command, reads its flags, gives it a context, runs it, shows how it
 * ended. Everything a given command does not need is loaded when it is needed, so that `version` starts at once.
 */
import { Redactor } from "../log/redact.ts";
import { lastPart } from "../plugin/plugin-environment.ts";
import type { Computer } from "../system/computer.ts";
import { findCommand, lastWord, type Command, type Invocation } from "./command.ts";
import type { ProgramName, Streams } from "./cli-context.ts";
import { asksForDetails, detailedExitCode, exitCodeOfError, exitCodeOfResult, exitCodes, type ExitRules } from "./exit-code.ts";
import type { CreateFlags } from "./flags/create-flag-source.ts";
import type { CliFlag } from "./flags/flag.ts";
import { parseFlags, type CommandOptions, type ParsedFlags } from "./flags/parse-flags.ts";
import { globalFlags, withGlobalFlags } from "./flags/global-flags.ts";
import type { MainContext } from "./main-context.ts";
import { globalOptions, inheritedOptions } from "./flags/global-options.ts";
import { isSelected } from "./selection/selection-flags.ts";
import { FlagError, UsageError } from "./usage-error.ts";
import { versionLine } from "./version.ts";

/** @param argv the program as typed, then its arguments. Gives the exit code; never rejects. */
export async function main(
  argv: readonly string[],
  computer: Computer,
  streams: Streams,
  mainContext: MainContext,
): Promise<number> {
  const run = new Run(argv, computer, streams, mainContext);
  const fallOver = async (error: unknown): Promise<void> => mainContext.exitNow(await run.fail(error));
  mainContext.onUnexpected((error) => void fallOver(error));
  try {
    return await run.start();
  } catch (error) {
    return await run.fail(error);
  }
}

/** One run of the program; holds what is known so far, for the error that may come. */
class Run {
  readonly #argv: readonly string[];
  readonly #computer: Computer;
  readonly #streams: Streams;
  readonly #mainContext: MainContext;
  readonly #compat: boolean;
  readonly #program: ProgramName;
  readonly #redactor = new Redactor();
  #globals: CommandOptions | undefined;
  #command: Command | undefined;
  #flags: readonly CliFlag[] | undefined;
  #options: CommandOptions | undefined;
  #invocation: Invocation | undefined;

  constructor(argv: readonly string[], computer: Computer, streams: Streams, mainContext: MainContext) {
    this.#argv = argv;
    this.#computer = computer;
    this.#streams = streams;
    this.#mainContext = mainContext;
    this.#compat = computer.env["MACHINE_COMPAT"] === "0.16";
    const programPath = argv[0] ?? "docker-machine";
    this.#program = { path: programPath, base: lastPart(programPath) };
  }

  async start(): Promise<number> {
    const globals = parseFlags(this.#argv.slice(1), globalFlags, this.#computer.env, "leading");
    this.#globals = globals.options;
    globalOptions([globals.options], this.#computer);
    if (globals.options.bool("help")) return await this.#printHelp();
    if (globals.options.bool("version")) return this.#print(versionLine(this.#program.base));
    const [word, ...rest] = globals.args;
    if (word === undefined) return await this.#printHelp();
    const command = await this.#requireCommand(word);
    if (command.name === "help") return await this.#help(rest);
    return await this.#dispatch(command, rest, globals);
  }

  async #dispatch(command: Command, words: readonly string[], globals: ParsedFlags): Promise<number> {
    this.#command = command;
    const inner = this.#findSubcommand(command, words);
    if (inner !== undefined) return await this.#dispatch(inner.subcommand, inner.words, globals);
    if (command.flagSource === "none" && isHelpWord(words[0])) return await this.#printHelp();
    const parsed = command.flagSource === "none" ? { ...parseFlags([], []), args: words } : await this.#parse(command, words);
    const { options } = parsed;
    const given = splitCommand(command, parsed);
    this.#options = options;
    if (options.bool("help")) return await this.#printHelp();
    if (command.load === undefined) return await this.#refuse(given.args);
    checkArity(command, options, given.args);
    this.#invocation = { command, options, ...given, commands: this.#mainContext.commands };
    return await this.#execute(this.#invocation, parsed.warnings, globals);
  }

  /** The subcommand that is meant, and the words without its name; flags may stand before that. */
  #findSubcommand(command: Command, words: readonly string[]): { subcommand: Command; words: readonly string[] } | undefined {
    if (command.subcommands === undefined) return undefined;
    const flags = withGlobalFlags(command.flags);
    const behind = parseFlags(words, flags, {}, "leading").args;
    const subcommand = findCommand(command.subcommands, behind[0] ?? "");
    if (subcommand === undefined) return undefined;
    const rest = behind.slice(1);
    const isItsOwn = rest.some((word) => isHelpWord(word) || subcommand.flags.some(({ name }) => word === `--${name}`));
    if (command.loneWordIsArgument === true && !isItsOwn && parseFlags(rest, flags).args.length === 0) return undefined;
    return { subcommand, words: [...words.slice(0, words.length - behind.length), ...rest] };
  }

  async #parse(command: Command, words: readonly string[]): Promise<ParsedFlags> {
    const created = command.flagSource === "driver" ? await this.#createFlags(words) : undefined;
    this.#flags = created?.flags ?? command.flags;
    const placement = command.takesCommand === "named" ? "leading" : "anywhere";
    try {
      return parseFlags(words, withGlobalFlags(this.#flags), this.#computer.env, placement, created?.settings);
    } catch (error) {
      const isCreate = command.flagSource === "driver" && error instanceof FlagError && error.hint === undefined;
      throw isCreate ? await this.#withDriverOf(error) : this.#withDashes(error, command, words);
    }
  }

  /** A flag of the command that is to be run elsewhere, which was taken for one of ours. */
  #withDashes(error: unknown, { takesCommand, name }: Command, words: readonly string[]): unknown {
    const isMissing = takesCommand === "behind-dashes" && !words.includes("--");
    if (!isMissing || !(error instanceof FlagError) || error.hint !== undefined) return error;
    return new FlagError(
      error.message,
      `A command and its flags stand behind two dashes: ${this.#program.base} ${name} NAME -- ls -l`,
    );
  }

  /** A flag of a driver that was not chosen. */
  async #withDriverOf(error: FlagError): Promise<FlagError> {
    const [, flag = "", driver = ""] = /not defined: -(([^-]+)-.*)$/u.exec(error.message) ?? [];
    if ((await this.#mainContext.ownerOfFlag(flag, this.#computer)) !== driver) return error;
    return new FlagError(error.message, `--${flag} is of the driver ${driver}: give --driver ${driver} as well.`);
  }

  async #createFlags(words: readonly string[]): Promise<CreateFlags> {
    const { createFlagsFor } = await import("./flags/create-flag-source.ts");
    return await createFlagsFor(words, this.#computer, this.#compat, this.#mainContext);
  }

  async #execute(invocation: Invocation, warnings: readonly string[], globals: ParsedFlags): Promise<number> {
    const { execute } = await import("./execute.ts");
    for (const secret of secretsOf([...(this.#flags ?? []), ...globalFlags], [invocation.options, globals.options]))
      this.#redactor.add(secret);
    for (const warning of [...globals.warnings, ...warnings]) this.#streams.stderr.write(`${warning}\n`);
    const result = await execute(invocation, {
      computer: this.#computer,
      streams: this.#streams,
      mainContext: this.#mainContext,
      globals: globalOptions(this.#globalSources(), this.#computer),
      compat: this.#compat,
      program: this.#program,
      commandLine: this.#argv,
      redactor: this.#redactor,
      showHelp: async () => void (await this.#printHelp()),
    });
    return exitCodeOfResult(result, this.#exitRules);
  }

  /** What was given behind the command weighs more than what was given before it. */
  #globalSources(): readonly CommandOptions[] {
    const own = this.#options === undefined ? [] : [inheritedOptions(this.#options, this.#flags ?? [])];
    return this.#globals === undefined ? own : [...own, this.#globals];
  }

  async #requireCommand(word: string): Promise<Command> {
    const { commands } = this.#mainContext;
    const command = await commands.find(word);
    if (command !== undefined) return command;
    const { base, path: programPath } = this.#program;
    const names = (await commands.all()).flatMap(({ name, hidden }) => (hidden === true ? [] : [name]));
    const { commandHint } = await import("./meant-command.ts");
    const hint = commandHint(word, names, base);
    throw new UsageError(`${base}: '${word}' is not a ${base} command. See '${programPath} --help'.`, { hint });
  }

  async #help(words: readonly string[]): Promise<number> {
    if (isHelpWord(words[0])) this.#command = await this.#requireCommand("help");
    for (const word of words.filter((candidate) => !candidate.startsWith("-"))) {
      const inner = this.#command?.subcommands;
      if (this.#command !== undefined && inner === undefined) break;
      this.#command = inner === undefined ? await this.#requireCommand(word) : (findCommand(inner, word) ?? this.#command);
    }
    return await this.#printHelp();
  }

  /** A command that has only subcommands: help, and an error when it was given an unknown one. */
  async #refuse(args: readonly string[]): Promise<number> {
    const [word] = args;
    if (word === undefined) return await this.#printHelp();
    const names = this.#command?.subcommands?.map(({ name }) => lastWord(name)) ?? [];
    const { commandHint } = await import("./meant-command.ts");
    const hint = commandHint(word, names, `${this.#program.base} ${this.#command?.name}`);
    throw new UsageError(`${this.#program.base} ${this.#command?.name}: '${word}' is not a command of it`, {
      showHelp: true,
      hint,
    });
  }

  #print(line: string): number {
    this.#streams.stdout.write(`${line}\n`);
    return exitCodes.ok;
  }

  async #printHelp(length: "whole" | "short" = "whole"): Promise<number> {
    const command = this.#command;
    if (command !== undefined && command.flagSource === "driver") this.#flags ??= (await this.#createFlags([])).flags;
    this.#streams.stdout.write(await this.#helpText(command, length));
    return exitCodes.ok;
  }

  async #helpText(command: Command | undefined, length: "whole" | "short"): Promise<string> {
    const { stdout } = this.#streams;
    const { appHelpText, commandHelpText, shownGlobalFlags } = await import("./help/help.ts");
    const { commands } = this.#mainContext;
    const flags = this.#flags ?? command?.flags ?? [];
    if (!stdout.isTerminal || this.#compat)
      return command === undefined
        ? appHelpText(await commands.all(), this.#computer, this.#program)
        : commandHelpText(command, flags, this.#program);
    const { shortHelp, terminalAppHelp, terminalHelp } = await import("./help/terminal-help.ts");
    if (command === undefined)
      return terminalAppHelp(await commands.all(), shownGlobalFlags(this.#computer), this.#program, stdout.columns);
    return length === "short"
      ? shortHelp(command, flags, this.#program)
      : terminalHelp(command, flags, this.#program, stdout.columns);
  }

  /** Shows how the run failed and gives the exit code. */
  async fail(error: unknown): Promise<number> {
    const { showFailure } = await import("./output/show-failure.ts");
    await showFailure(error, {
      computer: this.#computer,
      streams: this.#streams,
      clock: this.#mainContext.clock,
      runtime: this.#mainContext.runtime,
      redactor: this.#redactor,
      compat: this.#compat,
      command: this.#command,
      invocation: this.#invocation,
      isParsed: this.#options !== undefined,
      argv: this.#argv,
      globalSources: this.#globalSources(),
      printHelp: async () => void (await this.#printHelp("short")),
    });
    return exitCodeOfError(error, this.#exitRules);
  }

  get #exitRules(): ExitRules {
    const detailed = this.#command?.flags.some(({ name }) => name === detailedExitCode) === true;
    return {
      compat: this.#compat,
      commandName: this.#command?.name,
      detailed: detailed && asksForDetails(this.#argv),
    };
  }
}

function isHelpWord(word: string | undefined): boolean {
  return word === "-h" || word === "-help" || word === "--help";
}

/** Of a command that takes another one, the arguments of its own and that other one's words. */
function splitCommand({ takesCommand }: Command, { args, dashesAt }: ParsedFlags): Pick<Invocation, "args" | "words"> {
  if (takesCommand === undefined) return { args };
  if (dashesAt !== undefined) return { args: args.slice(0, dashesAt), words: args.slice(dashesAt) };
  if (takesCommand === "behind-dashes") return { args };
  const [name, ...rest] = args;
  if (name === undefined) return { args };
  return { args: [name], words: rest[0] === "--" ? rest.slice(1) : rest };
}

function checkArity(command: Command, options: CommandOptions, args: readonly string[]): void {
  if (command.selects === true && isSelected(options)) return;
  const { min = 0, max = Number.POSITIVE_INFINITY, message, showHelp = false } = command.arity ?? { message: "" };
  if (args.length < min || args.length > max) throw new UsageError(message, { showHelp });
}

/** The values of all flags that are marked secret. */
function secretsOf(flags: readonly CliFlag[], sources: readonly CommandOptions[]): string[] {
  const secret = flags.filter((flag) => flag.secret === true);
  return secret.flatMap(({ name }) => sources.flatMap((source) => [source.string(name), ...source.strings(name)]));
}
