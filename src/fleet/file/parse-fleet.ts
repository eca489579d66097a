/**
 * `machines.yml`: what should be. Read as a whole before anything is asked of anybody; what is wrong in it is told with
 * line, column and what may have been meant.
 */
import { entriesOf, isNothing, parseYaml, type Place, type Written, type WrittenEntry } from "../../system/yaml-text.ts";
import { readClusters } from "./clusters.ts";
import { invalid, knownEntries } from "./complaint.ts";
import type { FlagSource } from "./flag-source.ts";
import { defaultRollout, type FleetFile, type MachineSpec } from "./fleet-file.ts";
import { isRange, mostMachines, namesOf } from "./machine-names.ts";
import { SpecReader, type SharedSpec } from "./machine-spec.ts";
import { readRollout } from "./rollout.ts";
import { text } from "./scalars.ts";
import { emptyScope, readScope, type Scope } from "./scope.ts";

export const fleetKeys = ["version", "fleet", "defaults", "machines", "rollout", "swarm"] as const;
/** Of the file's form. */
export const fileVersion = 1;

/** @param file its path, for messages. Throws `fleet-invalid`. */
export async function parseFleet(content: string, file: string, source: FlagSource): Promise<FleetFile> {
  const written = await parseYaml(content, file, invalid);
  if (isNothing(written))
    throw invalid(written.place, "nothing is written in the file", `Begin it with: version: ${fileVersion}`);
  const entries = knownEntries(written, "the file", fleetKeys);
  requireVersion(entries.get("version"), written.place);
  const fleet = readName(entries.get("fleet"), written.place);
  const defaults = entries.get("defaults");
  const reader = new SpecReader(
    source,
    defaults === undefined ? emptyScope("defaults", written.place) : readScope(defaults.value, "defaults", defaults.place),
  );
  const listed = entries.get("machines");
  const machines = listed === undefined ? [] : await readMachines(listed.value, reader);
  const rollout = entries.get("rollout");
  const swarm = entries.get("swarm");
  const clusters = swarm === undefined ? { swarms: [], warnings: [] } : readClusters(swarm.value, machines);
  return {
    file,
    fleet,
    machines,
    rollout: rollout === undefined ? defaultRollout : readRollout(rollout.value),
    swarms: clusters.swarms,
    warnings: [...(await reader.remarks()), ...clusters.warnings],
  };
}

function requireVersion(entry: WrittenEntry | undefined, place: Place): void {
  if (entry === undefined) throw invalid(place, "the file does not say its version", `Begin it with: version: ${fileVersion}`);
  const { value } = entry;
  if (value.kind === "scalar" && value.value === fileVersion) return;
  const newer = value.kind === "scalar" && typeof value.value === "number" && value.value > fileVersion;
  const hint = newer ? "A newer docker-machine may know it." : `Write: version: ${fileVersion}`;
  throw invalid(value.place, `this program reads version ${fileVersion} of such files`, hint);
}

function readName(entry: WrittenEntry | undefined, place: Place): string {
  if (entry === undefined) throw invalid(place, "the fleet has no name", "Give it one: fleet: shop");
  const name = text(entry.value, "fleet");
  if (/^[a-zA-Z0-9][a-zA-Z0-9.-]{0,62}$/u.test(name)) return name;
  const hint = "It begins with a letter or a digit and holds up to 63 letters, digits, dots and dashes.";
  throw invalid(entry.value.place, `${JSON.stringify(name)} is no name of a fleet`, hint);
}

/** Whose entry a name is, and what is said of it. */
interface Named {
  readonly scopes: readonly Scope[];
  /** The entry that is a range; undefined where it is the machine's own. */
  readonly range: string | undefined;
}

async function readMachines(written: Written, reader: SpecReader): Promise<MachineSpec[]> {
  const named = new Map<string, Named>();
  const spellings = new Map<string, string>();
  for (const entry of entriesOf(written, "machines", invalid)) {
    const scope = readScope(entry.value, entry.key, entry.place);
    for (const name of namesOf(entry.key, entry.place)) {
      requireOneSpelling(name, entry.place, spellings);
      named.set(name, placed(named.get(name), name, entry, scope));
    }
    if (named.size > mostMachines) throw invalid(entry.place, `more than ${mostMachines} machines are too many for one file`);
  }
  return await specsOf(named, reader);
}

/** An exact name after a range that has it says what is its own; nothing else may be about a machine a second time. */
function placed(before: Named | undefined, name: string, { key, place }: WrittenEntry, scope: Scope): Named {
  const isOfRange = isRange(key);
  if (before === undefined) return { scopes: [scope], range: isOfRange ? key : undefined };
  if (before.range !== undefined && !isOfRange && before.scopes.length === 1)
    return { ...before, scopes: [...before.scopes, scope] };
  if (before.range === undefined)
    throw invalid(
      place,
      `${key} has "${name}", which stands before it`,
      `Move "${name}" below ${key}: then it says what is its own.`,
    );
  const other = before.scopes.length > 1 ? `${before.range} and by its own entry` : before.range;
  throw invalid(place, `${key} overlaps: "${name}" is made by ${other} already`);
}

/** Some file systems, and DNS, do not tell them apart. */
function requireOneSpelling(name: string, place: Place, spellings: Map<string, string>): void {
  const other = spellings.get(name.toLowerCase());
  if (other !== undefined && other !== name) throw invalid(place, `"${name}" and "${other}" differ in case alone`);
  spellings.set(name.toLowerCase(), name);
}

/** Machines of one range that say nothing of their own are read once. */
async function specsOf(named: ReadonlyMap<string, Named>, reader: SpecReader): Promise<MachineSpec[]> {
  const known = new Map<Scope, SharedSpec>();
  const specs: MachineSpec[] = [];
  for (const [name, { scopes }] of named) {
    const [only] = scopes;
    const last = scopes.at(-1) as Scope;
    const shared = (scopes.length === 1 && only !== undefined ? known.get(only) : undefined) ?? (await reader.read(scopes));
    if (scopes.length === 1 && only !== undefined) known.set(only, shared);
    specs.push({ name, place: last.place, ...shared });
  }
  return specs;
}
