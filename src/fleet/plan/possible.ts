/**
 * What of a plan can never come about, as far as that is seen without asking anybody: flags that their driver refuses, a time
 * for a machine that nothing could end, two machines that are one box. Told where the file says it, before any of it is begun.
 */
import type { DriverCapabilities } from "../../driver-kit/driver.ts";
import { isMachineError, type MachineError } from "../../errors/machine-error.ts";
import { Redactor } from "../../log/redact.ts";
import { configurationFor } from "../../machine/create.ts";
import { areBoxes, boxIn, describeSharedBox } from "../../machine/host/box.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { Place } from "../../system/yaml-text.ts";
import { invalid } from "../file/complaint.ts";
import type { FlagSource } from "../file/flag-source.ts";
import { membersOf } from "../file/clusters.ts";
import type { MachineSpec, SwarmSpec } from "../file/fleet-file.ts";
import { unfetchedOptions } from "../file/resolved-options.ts";
import { lifetimeFlags } from "./differences.ts";
import type { Plan, PlannedMachine } from "./plan.ts";

interface Intention {
  readonly machines: readonly PlannedMachine[];
  readonly swarms: readonly SwarmSpec[];
  /** All machines of the store that have an address, the fleet's and others. */
  readonly recorded: readonly RecordedBox[];
}

interface RecordedBox {
  readonly name: string;
  readonly driverName: string;
  readonly box: string;
}

/** Gives what is hardly meant. Throws `fleet-invalid` for the first that is not possible. */
export async function requirePossible(
  context: MachineContext,
  { machines, swarms, recorded }: Intention,
  source: FlagSource,
): Promise<Plan["warnings"]> {
  const capabilities = await capabilitiesOf(context, machines);
  requireMembers(machines, swarms, capabilities);
  const boxes = new Boxes(machines, recorded);
  const ofPlugins: MachineSpec[] = [];
  for (const machine of machines) {
    const spec = checkedSpec(machine);
    if (machine.spec === undefined) continue;
    const ofDriver = capabilities.get(machine.spec.driverName);
    if (ofDriver === undefined) continue;
    if (machine.exists && areBoxes(ofDriver)) boxes.keep(machine.spec);
    if (spec === undefined) continue;
    if (ofDriver.opaque === true) {
      if (machine.action !== "change") ofPlugins.push(spec);
      continue;
    }
    const configuration = await configured(context, spec, source);
    if (machine.action === "create" && areBoxes(ofDriver)) boxes.take(spec, boxIn(configuration));
  }
  return [...boxes.warnings, ...(await warningsOfPlugins(context, ofPlugins, source))];
}

/** Throws `fleet-invalid` where a plugin refuses flags; where secrets that were not fetched may be why, that is a warning. */
async function warningsOfPlugins(
  context: MachineContext,
  specs: readonly MachineSpec[],
  source: FlagSource,
): Promise<Plan["warnings"]> {
  if (specs.length === 0) return [];
  const { askPlugin } = await import("./ask-plugin.ts");
  const warnings: { name: string; text: string }[] = [];
  for (const ofOne of Map.groupBy(specs, ({ driverName }) => driverName).values()) {
    for (const { spec, error, isSure } of await askPlugin(context, ofOne, source)) {
      const { name } = spec;
      const place = placeNamedBy(error, spec) ?? spec.place;
      if (isSure) throw impossible(place, name, error);
      warnings.push({
        name,
        text: `${place}: "${name}" may be refused, as far as can be told without its secrets: ${error.message}`,
      });
    }
  }
  return warnings;
}

function impossible(place: Place, name: string, { message, hint }: MachineError): MachineError {
  return invalid(place, `"${name}" cannot be what this says: ${message}`, hint);
}

/** By driver: each is asked once, whatever the number of its machines. */
async function capabilitiesOf(
  context: MachineContext,
  machines: readonly PlannedMachine[],
): Promise<ReadonlyMap<string, DriverCapabilities>> {
  const names = new Set(machines.flatMap(({ spec }) => spec?.driverName ?? []));
  const found = [...names].map(async (name) => [name, (await context.findDriver(name)).capabilities] as const);
  return new Map(await Promise.all(found));
}

/** A member has its ports opened and its engine configured, which takes a machine that is looked after. */
function requireMembers(
  machines: readonly PlannedMachine[],
  swarms: readonly SwarmSpec[],
  capabilities: ReadonlyMap<string, DriverCapabilities>,
): void {
  const drivers = new Map(machines.flatMap(({ name, spec }) => (spec === undefined ? [] : [[name, spec.driverName] as const])));
  for (const swarm of swarms) {
    for (const name of membersOf(swarm)) {
      const driverName = drivers.get(name);
      if (driverName === undefined || capabilities.get(driverName)?.provisionable !== false) continue;
      const hint = "An engine that others look after can be joined by hand.";
      throw invalid(swarm.place, `"${name}" can be no member of the cluster ${swarm.name}: nothing is set up on it`, hint);
    }
  }
}

/** Undefined where nothing is made by its flags. Of one that exists, a time that has not changed is counted from then on. */
function checkedSpec({ action, spec, changes }: PlannedMachine): MachineSpec | undefined {
  if (spec === undefined || action === "create" || action === "replace") return spec;
  if (action !== "change") return undefined;
  if (changes.some(({ effect }) => effect === "lifetime")) return spec;
  return withoutLifetime(spec);
}

function withoutLifetime(spec: MachineSpec): MachineSpec {
  const flags = Object.entries(spec.flags).filter(([flag]) => !lifetimeFlags.has(flag));
  return { ...spec, flags: Object.fromEntries(flags) };
}

async function configured(context: MachineContext, spec: MachineSpec, source: FlagSource): Promise<object> {
  try {
    return await configurationOf(context, spec, source);
  } catch (error) {
    if (!isMachineError(error)) throw error;
    const refusal = isMachineError(error.cause) ? error.cause : error;
    const place = await placeOf(refusal, context, spec, source);
    throw impossible(place, spec.name, refusal);
  }
}

async function configurationOf(context: MachineContext, spec: MachineSpec, source: FlagSource): Promise<object> {
  const { name, driverName } = spec;
  // What stands for a secret is none.
  const looking = { ...context, redactor: new Redactor() };
  return await configurationFor(looking, { name, driverName, options: await unfetchedOptions(spec, source) });
}

function placeNamedBy({ message }: MachineError, { flags, places }: MachineSpec): Place | undefined {
  const named = [...message.matchAll(/--([\w-]+)/gu)].map(([, flag = ""]) => flag).find((flag) => Object.hasOwn(flags, flag));
  return named === undefined ? undefined : places.get(named);
}

/** Of the flag that is named; of its time, where it is possible without that; else of the machine. */
async function placeOf(refusal: MachineError, context: MachineContext, spec: MachineSpec, source: FlagSource): Promise<Place> {
  const { flags, places } = spec;
  const named = placeNamedBy(refusal, spec);
  if (named !== undefined) return named;
  const timed = ["ttl", "idle"].find((flag) => flags[flag] !== undefined);
  if (timed === undefined) return spec.place;
  const isPossible = await configurationOf(context, withoutLifetime(spec), source).then(
    () => true,
    () => false,
  );
  return isPossible ? (places.get(timed) ?? spec.place) : spec.place;
}

/** Who of the file's machines is the box of another one. */
class Boxes {
  readonly warnings: { readonly name: string; readonly text: string }[] = [];
  readonly #planned: ReadonlySet<string>;
  readonly #recorded: ReadonlyMap<string, readonly RecordedBox[]>;
  readonly #boxOf: ReadonlyMap<string, string>;
  readonly #made = new Map<string, string>();

  constructor(machines: readonly PlannedMachine[], recorded: readonly RecordedBox[]) {
    this.#planned = new Set(machines.flatMap(({ name, spec }) => (spec === undefined ? [] : [name])));
    this.#recorded = Map.groupBy(recorded, ({ driverName, box }) => `${driverName} ${box}`);
    this.#boxOf = new Map(recorded.map(({ name, box }) => [name, box]));
  }

  /** One that is there already, and stays. */
  keep({ name, driverName, place }: MachineSpec): void {
    const box = this.#boxOf.get(name);
    const others = box === undefined ? [] : this.#others(driverName, box).filter((other) => other < name);
    if (box !== undefined && others.length > 0) this.#warn(name, others, box, place);
  }

  /** One that is made. Throws `fleet-invalid` where the file gives its box to another one, too. */
  take({ name, driverName, place }: MachineSpec, box: string | undefined): void {
    if (box === undefined) return;
    const others = this.#others(driverName, box);
    const twin = this.#made.get(box) ?? others.find((other) => this.#planned.has(other));
    if (twin !== undefined) throw invalid(place, describeSharedBox(name, [twin], box), "Leave one of them out of the file.");
    this.#made.set(box, name);
    if (others.length > 0) this.#warn(name, others, box, place);
  }

  #others(driverName: string, box: string): string[] {
    return (this.#recorded.get(`${driverName} ${box}`) ?? []).map(({ name }) => name).toSorted();
  }

  #warn(name: string, others: readonly string[], box: string, place: Place): void {
    this.warnings.push({ name, text: `${place}: ${describeSharedBox(name, others, box)}` });
  }
}
