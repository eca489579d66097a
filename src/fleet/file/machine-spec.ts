/** A machine as the scopes that are about it say: each key read by the flag that it is, of the driver that is chosen. */
import type { FlagValue } from "../../driver-kit/create-flag.ts";
import { writtenFlagValue } from "../../driver-kit/written-flag.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { didYouMean } from "../../errors/nearest.ts";
import { secretsOfAssignment } from "../../log/assignment-secrets.ts";
import { isSecretName } from "../../log/secret-names.ts";
import { isDeadline } from "../../machine/lifetime/deadline.ts";
import { parseLabelChange } from "../../machine/selection/labels.ts";
import { isReference } from "../../driver-kit/written-flag.ts";
import { readTimeText } from "../../system/time-text.ts";
import type { Place } from "../../system/yaml-text.ts";
import { invalid } from "./complaint.ts";
import { flagsNotInFiles, type FileFlag, type FlagSource } from "./flag-source.ts";
import type { MachineSpec } from "./fleet-file.ts";
import { text, truth, withEnvironment } from "./scalars.ts";
import { layered, machineKeys, type Saying, type Scope } from "./scope.ts";

/** All of a machine but what is its own alone. */
export type SharedSpec = Omit<MachineSpec, "name" | "place">;

export class SpecReader {
  readonly #source: FlagSource;
  readonly #defaults: Scope;
  readonly #flags = new Map<string, Promise<ReadonlyMap<string, FileFlag>>>();
  /** Keys of `defaults` that a machine took. */
  readonly #used = new Set<string>();

  constructor(source: FlagSource, defaults: Scope) {
    this.#source = source;
    this.#defaults = defaults;
  }

  /** Throws `fleet-invalid`. @param scopes from the wider to the narrower, without the defaults; the last one is whose the machine is */
  async read(scopes: readonly Scope[]): Promise<SharedSpec> {
    const all = layered([this.#defaults, ...scopes]);
    const { title, place } = scopes.at(-1) ?? this.#defaults;
    const driver = all.others.get("driver");
    if (driver === undefined) throw invalid(place, `${title} has no driver`, "Give it one, or one to defaults.");
    const driverName = text(withEnvironment(driver.value, this.#source.env), "driver");
    const flags = await this.#flagsOf(driverName, driver);
    const own = new Set(scopes.flatMap((scope) => [...scope.flags.keys()]));
    const values: Record<string, FlagValue> = {};
    for (const [name, saying] of all.flags) {
      const flag = flagsNotInFiles.has(name) ? undefined : flags.get(name);
      if (flag !== undefined) values[name] = this.#valueOf(flag, saying);
      else if (own.has(name)) throw await this.#strange(name, saying, driverName, title, flags);
      if (flag !== undefined) this.#used.add(name);
    }
    requireTimes(values, all.flags);
    const protect = all.others.get("protect");
    return {
      driverName,
      flags: values,
      places: new Map([...all.flags].map(([name, { place: at }]) => [name, at])),
      labels: this.#labelsOf(all.labels),
      protect: protect && truth(protect.value, "protect"),
    };
  }

  /** Throws `fleet-invalid` for a key of the defaults that no driver has; gives what is of drivers that no machine here has. */
  async remarks(): Promise<string[]> {
    const remarks: string[] = [];
    for (const [name, { place }] of this.#defaults.flags) {
      if (this.#used.has(name)) continue;
      const owner = flagsNotInFiles.has(name) ? undefined : await this.#source.ownerOf(name);
      const known = await Promise.all([...this.#flags.values()]);
      if (known.some((flags) => flags.has(name)) && !flagsNotInFiles.has(name)) continue;
      const names = [...new Set([...machineKeys, ...known.flatMap((flags) => [...flags.keys()])])];
      // A plugin is told by its flags' prefix alone, and what it has is known here.
      if (owner === undefined || this.#flags.has(owner))
        throw invalid(place, `no driver here has a create flag --${name}`, didYouMean(name, names, bare));
      remarks.push(`${place}: ${name} is of the driver ${owner}, which no machine of this file has`);
    }
    return remarks;
  }

  async #flagsOf(driverName: string, { value }: Saying): Promise<ReadonlyMap<string, FileFlag>> {
    const known = this.#flags.get(driverName) ?? this.#load(driverName);
    this.#flags.set(driverName, known);
    return await known.catch((error: unknown) => {
      throw isMachineError(error) ? invalid(value.place, error.message, error.hint) : error;
    });
  }

  async #load(driverName: string): Promise<ReadonlyMap<string, FileFlag>> {
    return new Map((await this.#source.flagsOf(driverName)).map((flag) => [flag.name, flag]));
  }

  #valueOf(flag: FileFlag, { shown, place, value: given }: Saying): FlagValue {
    const written = withEnvironment(given, this.#source.env);
    const read = writtenFlagValue({ ...flag, secret: flag.secret ?? isSecretName(flag.name) }, written);
    if (!read.ok) throw invalid(place, `${shown}: ${read.problem}`, read.hint);
    const { value } = read;
    if (flag.choices !== undefined && typeof value === "string" && !flag.choices.includes(value)) {
      const hint = didYouMean(value, flag.choices, bare);
      throw invalid(place, `${shown} is ${flag.choices.join(", ")}, and not ${JSON.stringify(value)}`, hint);
    }
    if (flag.name === "engine-env") for (const assignment of value as readonly string[]) requireNoSecret(assignment, place);
    return value;
  }

  /** Whose key it is, if anybody's. */
  async #strange(
    name: string,
    { shown, place }: Saying,
    driverName: string,
    title: string,
    flags: ReadonlyMap<string, FileFlag>,
  ): Promise<Error> {
    if (flagsNotInFiles.has(name)) return invalid(place, `--${name} is no matter of this file`);
    const owner = await this.#source.ownerOf(name);
    // A plugin is told by its flags' prefix alone.
    if (owner !== undefined && owner !== driverName)
      return invalid(place, `${shown} is of the driver ${owner}, and ${title} is of ${driverName}`);
    const known = [...machineKeys, ...[...flags.keys()].filter((each) => !flagsNotInFiles.has(each))];
    return invalid(
      place,
      `${title} has no key "${name}", and the driver ${driverName} no such flag`,
      didYouMean(name, known, bare),
    );
  }

  #labelsOf(sayings: ReadonlyMap<string, Saying>): Record<string, string> {
    const labels = [...sayings].map(([key, { shown, place, value }]) => {
      const label = text(withEnvironment(value, this.#source.env), shown);
      if (key.includes("=")) throw invalid(place, `${JSON.stringify(key)} is no key of a label`);
      try {
        parseLabelChange(`${key}=${label}`);
      } catch (error) {
        throw isMachineError(error) ? invalid(place, error.message, error.hint) : error;
      }
      return [key, label] as const;
    });
    return Object.fromEntries(labels.toSorted(([left], [right]) => (left < right ? -1 : 1)));
  }
}

/** `off` is what a machine is that nothing is said of. */
function requireTimes(flags: Record<string, FlagValue>, sayings: ReadonlyMap<string, Saying>): void {
  const place = (name: string): Place => sayings.get(name)?.place ?? "";
  for (const name of ["ttl", "idle"]) if (flags[name] === "off") delete flags[name];
  const { ttl, idle } = flags;
  if (typeof ttl === "string" && !isDeadline(ttl))
    throw invalid(place("ttl"), "ttl is how long the machine is wanted, as 90m, 8h or 7d, a time with its zone, or off");
  if (typeof idle === "string" && (/^\d+$/u.test(idle) || readTimeText(idle) === undefined))
    throw invalid(place("idle"), "idle is a time such as 30m or 2h, or off");
}

/** Of what an engine is given, a secret is named and not written. */
function requireNoSecret(assignment: string, place: string): void {
  const [name = "", ...rest] = assignment.split("=");
  if (secretsOfAssignment(assignment).length === 0 || isReference(rest.join("="))) return;
  const hint = `Say where it is: ${name}=env:NAME, ${name}=file:PATH, ${name}=cmd:COMMAND or ${name}=keychain:NAME.`;
  throw invalid(place, `engine.env gives ${name} a secret, and this file is no place for one`, hint);
}

function bare(found: string): string {
  return found;
}
