/**
 * Brings one machine to what the file says. Each step is a use case of its own with its own lock and journal, and may be taken
 * again: what was done is recorded last, so that what was cut off is seen as not done yet.
 */
import { regenerateCertificates } from "../../machine/certificates.ts";
import { createMachine, type CreateRequest } from "../../machine/create.ts";
import { resizeMachine } from "../../machine/edit.ts";
import { fleetMark, fleetMarkOf, markMachine } from "../../machine/fleet-mark.ts";
import { readJournal } from "../../machine/interruption/journal.ts";
import { parseDeadline, parseIdle } from "../../machine/lifetime/deadline.ts";
import { setLifetime, type LifetimeChange } from "../../machine/lifetime/set-lifetime.ts";
import { changeState } from "../../machine/lifecycle.ts";
import { provisionAgain, upgradeMachine } from "../../machine/maintain.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { changeableFlags, reconfigureMachine } from "../../machine/reconfigure.ts";
import { removeMachine } from "../../machine/remove.ts";
import { setSecrets } from "../../machine/secrets/set-secrets.ts";
import { changeLabels } from "../../machine/selection/labels.ts";
import { setProtection } from "../../machine/selection/protection.ts";
import type { FleetMark } from "../../store/host-record.ts";
import type { FlagSource } from "../file/flag-source.ts";
import type { MachineSpec } from "../file/fleet-file.ts";
import { resolvedOptions } from "../file/resolved-options.ts";
import type { PlannedChange, PlannedMachine } from "../plan/plan.ts";
import { repairsOf, type Work } from "./work.ts";

export interface Site {
  readonly context: MachineContext;
  readonly fleet: string;
  readonly source: FlagSource;
  readonly signal: AbortSignal;
}

export async function doWork(site: Site, { machine, kind }: Work): Promise<void> {
  const { name, spec } = machine;
  if (kind === "remove" || spec === undefined) return await remove(site, name);
  if (kind === "create") return await create(site, spec);
  if (kind === "replace") return await replace(site, spec);
  if (kind === "continue") return await goOn(site, machine, spec);
  await repair(site, machine);
  if (kind !== "repair") await change(site, machine, spec);
}

/** Puts right what was found on the machine itself: it has to run before anything else. */
async function repair({ context, signal }: Site, machine: PlannedMachine): Promise<void> {
  const repairs = repairsOf(machine);
  if (repairs.has("start")) await changeState(context, machine.name, "start", signal);
  if (repairs.has("upgrade")) await upgradeMachine(context, machine.name, signal);
  else if (repairs.has("provision")) await provisionAgain(context, machine.name, signal);
}

/** As `create` would be asked, with the fleet's mark from the first moment. */
export async function createRequest({ context, fleet, source }: Site, spec: MachineSpec): Promise<CreateRequest> {
  const { name, driverName, flags, labels } = spec;
  const given = Object.keys(labels).length === 0 ? {} : { Labels: { ...labels } };
  const extra = { ...given, Fleet: fleetMark(fleet, flags, labels) };
  return { name, driverName, options: await resolvedOptions(context, spec, source), extra };
}

/** Goes on with one that was cut off, too. Protected it is once it stands: to undo a create must stay possible. */
async function create(site: Site, spec: MachineSpec): Promise<void> {
  const { context, signal } = site;
  await createMachine(context, await createRequest(site, spec), signal);
  if (spec.protect === true) await setProtection(context, spec.name, true, signal);
}

async function replace(site: Site, spec: MachineSpec): Promise<void> {
  await remove(site, spec.name);
  await create(site, spec);
}

async function remove({ context, signal }: Site, name: string): Promise<void> {
  await removeMachine(context, { name, force: false, restore: false }, signal);
}

/** Ends what was cut off. A machine that was on its way out is made anew. */
async function goOn(site: Site, machine: PlannedMachine, spec: MachineSpec): Promise<void> {
  const { context, signal } = site;
  const { name } = machine;
  const journal = await readJournal(context.store.machineDir(name));
  if (journal?.command === "create") return await create(site, spec);
  if (journal?.command === "rm") return await replace(site, spec);
  if (journal?.command === "regenerate-certs") await regenerateCertificates(context, name, signal);
  else if (journal?.command === "upgrade") await upgradeMachine(context, name, signal);
  else await provisionAgain(context, name, signal);
  await change(site, machine, spec);
}

async function change(site: Site, machine: PlannedMachine, spec: MachineSpec): Promise<void> {
  const { context, source, signal } = site;
  const { name } = machine;
  const changes = machine.changes.filter(({ effect }) => effect !== "replacement");
  await changeOfLabels(site, name, changes);
  await changeOfSecrets(site, name, spec, changes);
  await changeOfSize(site, name, spec, changes);
  await changeOfLifetime(site, name, spec, changes);
  const flags = changes.map(({ key }) => key).filter((key) => Object.hasOwn(changeableFlags, key));
  if (flags.length > 0)
    await reconfigureMachine(context, { name, options: await resolvedOptions(context, spec, source), flags }, signal);
  const protection = changes.find(({ key }) => key === "protect");
  if (protection !== undefined) await setProtection(context, name, spec.protect === true, signal);
  // What is rolled out, with others and in its turn, is marked then.
  if (!changes.some(({ effect }) => effect === "engine-upgrade")) await mark(site, machine, spec);
}

/** For a machine whose engine has become what the file says. */
export async function finishUpgrade(site: Site, machine: PlannedMachine): Promise<void> {
  if (machine.spec !== undefined) await mark(site, machine, machine.spec);
}

async function mark(site: Site, machine: PlannedMachine, spec: MachineSpec): Promise<void> {
  await markMachine(site.context, machine.name, await newMark(site, machine, spec), site.signal);
}

async function changeOfLabels({ context, signal }: Site, name: string, changes: readonly PlannedChange[]): Promise<void> {
  const prefix = "labels.";
  const labels = changes.filter(({ key }) => key.startsWith(prefix));
  if (labels.length === 0) return;
  const wanted = labels.map(({ key, to }) => ({ key: key.slice(prefix.length), value: to ?? undefined }));
  await changeLabels(context, name, wanted, signal);
}

/** Of a driver: what needs no more than a record, and is no setting of the engine. */
async function changeOfSecrets(
  { context, signal }: Site,
  name: string,
  spec: MachineSpec,
  changes: readonly PlannedChange[],
): Promise<void> {
  const secrets = changes.flatMap(({ key, effect }) => {
    const value = effect === "record" && !Object.hasOwn(changeableFlags, key) ? spec.flags[key] : undefined;
    return typeof value === "string" ? [[key, value] as const] : [];
  });
  if (secrets.length > 0) await setSecrets(context, name, new Map(secrets), signal);
}

async function changeOfSize(
  { context, signal }: Site,
  name: string,
  { driverName, flags }: MachineSpec,
  changes: readonly PlannedChange[],
): Promise<void> {
  const sizes = new Set(changes.flatMap(({ key, effect }) => (effect === "resize" ? [key] : [])));
  const { sizeFlags } = await context.findDriver(driverName);
  if (sizes.size === 0 || sizeFlags === undefined) return;
  const numberOf = (flag: string): number | undefined => (sizes.has(flag) ? Number(flags[flag]) : undefined);
  const change = { cpus: numberOf(sizeFlags.cpus), memoryMiB: numberOf(sizeFlags.memoryMiB) };
  await resizeMachine(context, name, change, signal);
}

async function changeOfLifetime(
  { context, signal }: Site,
  name: string,
  { flags }: MachineSpec,
  changes: readonly PlannedChange[],
): Promise<void> {
  const changed = new Map(changes.flatMap(({ key, to, effect }) => (effect === "lifetime" ? [[key, to] as const] : [])));
  if (changed.size === 0) return;
  const [ttl, idle] = [changed.get("ttl"), changed.get("idle")];
  const wanted: LifetimeChange = {
    deadline: wish(ttl, (text) => parseDeadline(text, context.clock.now())),
    idle: wish(idle, parseIdle),
    powerOff: flags["ttl-power-off"] === true,
  };
  await setLifetime(context, name, wanted, signal);
}

/** What the file says no more, ends. */
function wish<Value>(text: string | null | undefined, parse: (text: string) => Value): Value | "off" | undefined {
  if (text === undefined) return undefined;
  return text === null ? "off" : parse(text);
}

/** What was applied: of what only a replacement would change, still what the machine was made with. */
async function newMark({ context, fleet }: Site, { name, changes }: PlannedMachine, spec: MachineSpec): Promise<FleetMark> {
  const before = fleetMarkOf((await context.store.load(name)).extra)?.Flags ?? {};
  const flags = { ...spec.flags };
  for (const { key, effect } of changes) {
    if (effect !== "replacement" || key === "driver") continue;
    const old = before[key];
    if (old === undefined) delete flags[key];
    else flags[key] = old;
  }
  return fleetMark(fleet, flags, spec.labels);
}
