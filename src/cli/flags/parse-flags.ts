/**
 * The flag parser: Go's syntax (`-name`, `--name=value`, `--bool=false`, `--`), values from the environment, flags
 * before and after arguments. Knows flag tables and strings; no command, no process.
 */
import {
  defaultValue,
  driverOptions,
  type CreateFlag,
  type DriverOptions,
  type FlagValue,
  type NumberUnit,
} from "../../driver-kit/create-flag.ts";
import { didYouMean } from "../../errors/nearest.ts";
import { quote } from "../../gocompat/quote.ts";
import { FlagError } from "../usage-error.ts";
import { acceptedNamesOf, type CliFlag } from "./flag.ts";
import { meantFlag } from "./meant-flag.ts";
import { readBool, readNumber, type FlagText } from "../../driver-kit/flag-text.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface CommandOptions extends DriverOptions {
  /** Every value given for a flag on the command line, in order, also where only the last one counts. */
  occurrences(name: string): readonly string[];
}

export interface ParsedFlags {
  readonly options: CommandOptions;
  readonly args: readonly string[];
  /** How many of the arguments stand before `--`; undefined where there is none. */
  readonly dashesAt: number | undefined;
  /** Environment variables whose value was ignored because it cannot be read; one sentence each. */
  readonly warnings: readonly string[];
}

/**
 * Where flags may stand. `anywhere`: also between and after arguments, which keep their order. `leading`: parsing ends
 * at the first argument (the program's own flags before the command).
 */
export type FlagPlacement = "anywhere" | "leading";

/**
 * Throws {@link FlagError} with the text of Go's flag package.
 * @param settings values for flags that neither the words nor the environment give
 */
export function parseFlags(
  args: readonly string[],
  flags: readonly CliFlag[],
  env: Environment = {},
  placement: FlagPlacement = "anywhere",
  settings: ReadonlyMap<string, FlagValue> = new Map(),
): ParsedFlags {
  const scanned = scan(args, flags, placement);
  const values: Record<string, FlagValue> = {};
  const given = new Set<string>();
  const variables = new Map<string, string>();
  const warnings: string[] = [];
  for (const flag of flags) {
    const texts = scanned.texts.get(flag.name) ?? [];
    const fromEnvironment = environmentValue(flag, env, warnings);
    const setting = texts.length === 0 && fromEnvironment === undefined ? settings.get(flag.name) : undefined;
    if (texts.length > 0 || fromEnvironment !== undefined || setting !== undefined) given.add(flag.name);
    if (texts.length === 0 && fromEnvironment !== undefined) variables.set(flag.name, fromEnvironment.variable);
    values[flag.name] = setting ?? valueOf(flag, texts, fromEnvironment?.value);
    checkChoice(flag, values[flag.name]);
  }
  const occurrences = (name: string): readonly string[] => scanned.texts.get(name) ?? [];
  return {
    options: { ...driverOptions(values, given, variables), occurrences },
    args: scanned.args,
    dashesAt: scanned.dashesAt,
    warnings,
  };
}

interface Scan {
  /** Texts given for each flag, by its main name. */
  readonly texts: Map<string, string[]>;
  readonly args: string[];
  readonly dashesAt: number | undefined;
}

function scan(words: readonly string[], flags: readonly CliFlag[], placement: FlagPlacement): Scan {
  const byName = new Map(flags.flatMap((flag) => acceptedNamesOf(flag).map((name) => [name, flag] as const)));
  const texts = new Map<string, string[]>();
  const args: string[] = [];
  let dashesAt: number | undefined;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] as string;
    if (word === "--") {
      dashesAt = args.length;
      args.push(...words.slice(index + 1));
      break;
    }
    if (!isFlag(word)) {
      args.push(...(placement === "leading" ? words.slice(index) : [word]));
      if (placement === "leading") break;
      continue;
    }
    const { name, value } = splitFlag(word);
    const flag = byName.get(name);
    if (flag === undefined) throw undefinedFlag(name, byName.keys());
    const takesNext = value === undefined && flag.kind !== "bool";
    if (takesNext && index + 1 >= words.length) throw new FlagError(`flag needs an argument: -${name}`);
    const text = takesNext ? (words[(index += 1)] as string) : (value ?? "true");
    checkText(flag, name, text);
    texts.set(flag.name, [...(texts.get(flag.name) ?? []), text]);
  }
  return { texts, args, dashesAt };
}

function undefinedFlag(name: string, known: Iterable<string>): FlagError {
  return new FlagError(`flag provided but not defined: -${name}`, meantFlag(name, known));
}

/** A lone dash is an argument. */
function isFlag(word: string): boolean {
  return word.length > 1 && word.startsWith("-");
}

function splitFlag(word: string): { name: string; value: string | undefined } {
  const body = word.slice(word.startsWith("--") ? 2 : 1);
  if (body.startsWith("-") || body.startsWith("=")) throw new FlagError(`bad flag syntax: ${word}`);
  const equals = body.indexOf("=");
  return equals === -1 ? { name: body, value: undefined } : { name: body.slice(0, equals), value: body.slice(equals + 1) };
}

function checkText(flag: CliFlag, typedName: string, text: string): void {
  if (flag.kind === "bool") {
    const parsed = readBool(text);
    if (!parsed.ok) throw new FlagError(`invalid boolean value ${quote(text)} for -${typedName}: ${parsed.reason}`);
  } else if (flag.kind === "int") {
    const parsed = readNumber(text, flag.unit);
    if (!parsed.ok)
      throw new FlagError(`invalid value ${quote(text)} for flag -${typedName}: ${parsed.reason}`, exampleOf(flag.unit));
  }
}

function exampleOf(unit: NumberUnit | undefined): string {
  if (unit === undefined) return "Give a whole number.";
  return unit === "s" ? "Give it as 90, or 10m." : `Give it as 4GB, or as a number of ${unit}.`;
}

function checkChoice(flag: CliFlag, value: FlagValue | undefined): void {
  if (flag.choices === undefined || typeof value !== "string" || flag.choices.includes(value)) return;
  throw new FlagError(
    `invalid value ${quote(value)} for flag -${flag.name}: must be one of ${flag.choices.join(", ")}`,
    didYouMean(value, flag.choices),
  );
}

/** Values of a repeatable flag are added to those of the environment, as 0.16.2 does, and replace the default. */
function valueOf(flag: CliFlag, texts: readonly string[], fromEnvironment: FlagValue | undefined): FlagValue {
  if (texts.length === 0) return fromEnvironment ?? defaultValue(flag);
  if (flag.kind === "strings") return [...((fromEnvironment as readonly string[] | undefined) ?? []), ...texts];
  return valueOfTexts(flag, texts);
}

/** The value that texts on the command line give a flag: the last one counts, or all of a repeatable flag. */
export function valueOfTexts(flag: CreateFlag, texts: readonly string[]): FlagValue {
  const last = texts.at(-1) ?? "";
  switch (flag.kind) {
    case "string":
      return last;
    case "bool":
      return valueOr(readBool(last), false);
    case "int":
      return valueOr(readNumber(last, flag.unit), 0);
    case "strings":
      return texts;
  }
}

function valueOr<Value>(parsed: FlagText<Value>, otherwise: Value): Value {
  return parsed.ok ? parsed.value : otherwise;
}

interface EnvironmentValue {
  readonly value: FlagValue;
  readonly variable: string;
}

/** The value of the first variable that is set and not empty; several are separated by commas. */
function environmentValue(flag: CliFlag, env: Environment, warnings: string[]): EnvironmentValue | undefined {
  const names = (flag.envVar ?? "").split(",").map((name) => name.trim());
  const name = names.find((candidate) => candidate !== "" && (env[candidate] ?? "") !== "");
  if (name === undefined) return undefined;
  const text = env[name] as string;
  if (flag.kind === "string") return { value: text, variable: name };
  if (flag.kind === "strings") return { value: text.split(",").map((part) => part.trim()), variable: name };
  const parsed = flag.kind === "bool" ? readBool(text) : readNumber(text, flag.unit);
  if (parsed.ok) return { value: parsed.value, variable: name };
  warnings.push(`Ignoring ${name}: ${parsed.reason}`);
  return undefined;
}
