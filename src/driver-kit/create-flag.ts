/**
 * Create flags: a driver's options declared as data. The command line, `--help`, completion and the plugin protocol
 * are all made from these tables.
 */

interface FlagBase {
  /** Without dashes, prefixed by the driver's name: `generic-ssh-user`. */
  readonly name: string;
  readonly usage: string;
  /** Environment variable that gives the value when the flag is absent. */
  readonly envVar?: string | undefined;
  /**
   * The value is a credential: redacted everywhere and never stored in config.json. `false` says that it is none, though
   * it is named like one.
   */
  readonly secret?: boolean | undefined;
}

/** What a whole number counts; with one, `4GB` and `10m` are understood too. MB and GB are of 1024, as in 0.16.2's drivers. */
export type NumberUnit = "MB" | "GB" | "s";

export type CreateFlag =
  | (FlagBase & { readonly kind: "string"; readonly value?: string | undefined })
  | (FlagBase & { readonly kind: "int"; readonly value?: number | undefined; readonly unit?: NumberUnit | undefined })
  | (FlagBase & { readonly kind: "bool" })
  | (FlagBase & { readonly kind: "strings"; readonly value?: readonly string[] | undefined });

export type FlagValue = string | number | boolean | readonly string[];

/**
 * The values of all create flags, by name. A getter answers with the zero value ("" 0 false []) when a value is
 * missing or of another type, as 0.16.2's options do.
 */
export interface DriverOptions {
  string(name: string): string;
  int(name: string): number;
  bool(name: string): boolean;
  strings(name: string): readonly string[];
  /** Whether the user gave the flag, on the command line or in the environment, rather than its default applying. */
  isSet(name: string): boolean;
  /** The environment variable that gave the value; undefined where the command line or the default did. */
  variableOf(name: string): string | undefined;
  /** All values, for the plugin protocol. */
  all(): Readonly<Record<string, FlagValue>>;
}

export function driverOptions(
  values: Readonly<Record<string, FlagValue>>,
  given: ReadonlySet<string> = new Set(Object.keys(values)),
  variables: ReadonlyMap<string, string> = new Map(),
): DriverOptions {
  const get = (name: string): FlagValue | undefined => (Object.hasOwn(values, name) ? values[name] : undefined);
  return {
    string: (name) => (typeof get(name) === "string" ? (get(name) as string) : ""),
    int: (name) => (typeof get(name) === "number" ? (get(name) as number) : 0),
    bool: (name) => get(name) === true,
    strings: (name) => (Array.isArray(get(name)) ? (get(name) as readonly string[]) : []),
    isSet: (name) => given.has(name),
    variableOf: (name) => variables.get(name),
    all: () => values,
  };
}

/** The options with other values in place of some, each of its flag's own kind; those count as given. */
export function overlayOptions(options: DriverOptions, values: Readonly<Record<string, FlagValue>>): DriverOptions {
  const replaced = driverOptions(values);
  const of = (name: string): DriverOptions => (replaced.isSet(name) ? replaced : options);
  return {
    string: (name) => of(name).string(name),
    int: (name) => of(name).int(name),
    bool: (name) => of(name).bool(name),
    strings: (name) => of(name).strings(name),
    isSet: (name) => of(name).isSet(name),
    variableOf: (name) => of(name).variableOf(name),
    all: () => ({ ...options.all(), ...values }),
  };
}

/** The value a flag has when nobody gives one: bool false, slices empty. */
export function defaultValue(flag: CreateFlag): FlagValue {
  switch (flag.kind) {
    case "string":
      return flag.value ?? "";
    case "int":
      return flag.value ?? 0;
    case "bool":
      return false;
    case "strings":
      return flag.value ?? [];
  }
}
