/**
 * A driver's options as one table: from it come the create flags, the defaults and the type of the stored configuration,
 * and what the flags are checked for. The keys are the fields of the record, in the order they are stored.
 *
 *     const options = defineOptions("digitalocean", {
 *       AccessToken: secret("access-token", { usage: "…", envVar: "DIGITALOCEAN_ACCESS_TOKEN" }),
 *       Size: text("size", { usage: "…", envVar: "DIGITALOCEAN_SIZE", value: "s-1vcpu-1gb" }),
 *     });
 *     interface Config extends BaseConfig, ConfigOf<typeof options> {}
 */
import { MachineError } from "../errors/machine-error.ts";
import type { CreateFlag, DriverOptions, FlagValue, NumberUnit } from "./create-flag.ts";

interface OptionText {
  readonly usage: string;
  /** Variables that give the value when the flag is absent, the first that is set; separated by commas. */
  readonly envVar?: string | undefined;
  /** False for what is no credential, though named like one. */
  readonly secret?: boolean | undefined;
}

interface OptionKinds {
  readonly string: string;
  readonly int: number;
  readonly bool: boolean;
  readonly strings: string[];
}

/** One option; its flag's name lacks the driver's prefix. */
export interface Option<Kind extends keyof OptionKinds = keyof OptionKinds> extends OptionText {
  readonly kind: Kind;
  readonly flag: string;
  readonly value: OptionKinds[Kind];
  /** Of a number. */
  readonly unit?: NumberUnit | undefined;
  /** What is wrong with a value, as the rest of a sentence that begins with the flag and the value; undefined = it will do. */
  readonly check?: ((value: OptionKinds[Kind]) => string | undefined) | undefined;
}

export interface TextRules extends OptionText {
  readonly value?: string | undefined;
  readonly oneOf?: readonly string[] | undefined;
  readonly matches?: { readonly pattern: RegExp; readonly wanted: string } | undefined;
  /** What is wrong with a value, as the rest of the sentence: `is not a user name`. */
  readonly check?: ((value: string) => string | undefined) | undefined;
}

export interface NumberRules extends OptionText {
  readonly value?: number | undefined;
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
  /** A value outside the bounds that is allowed all the same: 0 for "the provider's default". */
  readonly or?: number | undefined;
  readonly unit?: NumberUnit | undefined;
}

export function text(flag: string, { value = "", oneOf, matches, check: own, ...rest }: TextRules): Option<"string"> {
  const check = (given: string): string | undefined => {
    if (given === value) return undefined;
    if (oneOf !== undefined && !oneOf.includes(given)) return `is not one of: ${oneOf.join(", ")}`;
    if (matches !== undefined && !matches.pattern.test(given)) return `is not ${matches.wanted}`;
    return own?.(given);
  };
  return { kind: "string", flag, value, check, ...rest };
}

/** A credential: concealed in the record, redacted everywhere. A driver gets a mark in its place, so nothing can be checked here. */
export function secret(flag: string, rules: Omit<OptionText, "secret">): Option<"string"> {
  return { kind: "string", flag, value: "", ...rules, secret: true };
}

export function int(flag: string, { value = 0, atLeast, atMost, or, ...rest }: NumberRules): Option<"int"> {
  const check = (given: number): string | undefined => {
    if (given === or) return undefined;
    if (atLeast !== undefined && given < atLeast) return `is too small: ${atLeast} is the least`;
    return atMost !== undefined && given > atMost ? `is too large: ${atMost} is the most` : undefined;
  };
  return { kind: "int", flag, value, check, ...rest };
}

/** A TCP port. */
export function port(flag: string, rules: Omit<NumberRules, "atLeast" | "atMost" | "or">): Option<"int"> {
  return int(flag, { ...rules, atLeast: 1, atMost: 65_535 });
}

/** A name that useradd takes. */
export const userName = { pattern: /^[a-z_][a-z0-9_-]{0,31}$/u, wanted: "a user name" } as const;

/** Where a provider's API is. */
export function url(flag: string, rules: Omit<TextRules, "matches" | "oneOf">): Option<"string"> {
  return text(flag, { ...rules, matches: { pattern: /^https?:\/\/[^/\s]+/u, wanted: "a URL" } });
}

/** False unless given: flags cannot switch off. */
export function bool(flag: string, rules: OptionText): Option<"bool"> {
  return { kind: "bool", flag, value: false, ...rules };
}

/** May be repeated; what is given replaces the default. */
export function list(
  flag: string,
  { value = [], ...rest }: OptionText & { readonly value?: readonly string[] },
): Option<"strings"> {
  return { kind: "strings", flag, value: [...value], ...rest };
}

export type OptionTable = Readonly<Record<string, Option<"string"> | Option<"int"> | Option<"bool"> | Option<"strings">>>;

type ValuesOf<Table extends OptionTable> = { -readonly [Field in keyof Table]: OptionKinds[Table[Field]["kind"]] };

export interface DefinedOptions<Table extends OptionTable> {
  readonly flags: readonly CreateFlag[];
  /** The fields with the flags' defaults. Made anew at each call. */
  defaults(): ValuesOf<Table>;
  /** The fields as the flags have them. Throws `driver-options` naming the flag whose value will not do. */
  read(options: DriverOptions): ValuesOf<Table>;
  /** What {@link read} checks, for a value that comes by another way. Throws `driver-options`. */
  require(field: keyof Table, value: FlagValue): void;
  /** The whole name of a field's flag, with dashes, for messages: `--digitalocean-size`. */
  flagOf(field: keyof Table): string;
  /** Whether the user gave the option, on the command line or in the environment. */
  isSet(options: DriverOptions, field: keyof Table): boolean;
}

/** The stored fields of a table, as a type. */
export type ConfigOf<Options extends DefinedOptions<OptionTable>> = ReturnType<Options["defaults"]>;

/** @param prefix the driver's name, with which all its flags begin */
export function defineOptions<const Table extends OptionTable>(prefix: string, table: Table): DefinedOptions<Table> {
  const fields = Object.entries(table);
  const nameOf = (option: Option): string => `${prefix}-${option.flag}`;
  const named = (field: keyof Table): string => nameOf(table[field] as Option);
  const values = (of: (option: Option) => unknown): ValuesOf<Table> =>
    Object.fromEntries(fields.map(([field, option]) => [field, of(option as Option)])) as ValuesOf<Table>;
  return {
    flags: fields.map(([, option]) => flagFrom(option as Option, nameOf(option as Option))),
    defaults: () => values(({ value }) => (Array.isArray(value) ? [...value] : value)),
    read: (options) => values((option) => checked(option, nameOf(option), valueIn(options, option.kind, nameOf(option)))),
    require: (field, value) => void checked(table[field] as Option, named(field), value),
    flagOf: (field) => `--${named(field)}`,
    isSet: (options, field) => options.isSet(named(field)),
  };
}

function flagFrom({ kind, value, usage, envVar, unit, secret: isSecret }: Option, name: string): CreateFlag {
  const base = { name, usage, envVar, secret: isSecret };
  switch (kind) {
    case "string":
      return { ...base, kind, value: value as string };
    case "int":
      return { ...base, kind, value: value as number, unit };
    case "bool":
      return { ...base, kind };
    case "strings":
      return { ...base, kind, value: value as string[] };
  }
}

function checked(option: Option, name: string, value: FlagValue): FlagValue {
  const wrong = (option.check as ((value: FlagValue) => string | undefined) | undefined)?.(value);
  if (wrong === undefined) return value;
  throw new MachineError("driver-options", `--${name} ${JSON.stringify(value)} ${wrong}`);
}

function valueIn(options: DriverOptions, kind: Option["kind"], name: string): FlagValue {
  switch (kind) {
    case "string":
      return options.string(name);
    case "int":
      return options.int(name);
    case "bool":
      return options.bool(name);
    case "strings":
      return [...options.strings(name)];
  }
}
