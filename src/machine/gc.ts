/**
 * `gc`: what interrupted commands left behind. A machine whose create was cut off keeps its record and its journal; this
 * lists it with the instances at its provider that bear its own create id, and removes it when asked. Instances of
 * others are never listed, because only the create id counts, not a name.
 */
import { messageOf } from "../errors/machine-error.ts";
import type { Store } from "../store/store.ts";
import { within } from "../system/waiting.ts";
import type { Host } from "./host/host.ts";
import { openHost } from "./host/open-host.ts";
import { findInterruption, whatHappened } from "./interruption/interrupted.ts";
import { readJournal, type JournalReading } from "./interruption/journal.ts";
import { forEachMachine } from "./many.ts";
import type { MachineContext, Outcome } from "./machine-context.ts";
import { sweepStore } from "./interruption/sweep.ts";
import { removeAtProvider, removeMachine } from "./remove.ts";

export interface Leftover {
  readonly name: string;
  readonly command: string;
  readonly step: string;
  /** Both in words. */
  readonly what: string;
  /** Identifiers at the provider, of what is no instance with its kind before it; empty where nothing is known to exist there. */
  readonly instances: readonly string[];
  /** The machine was removed while its instance was perhaps still coming into being. */
  readonly removed?: boolean | undefined;
  /** Why the provider could not be asked. */
  readonly complaint?: string | undefined;
}

const atOnce = 16;

/** A request that a provider has not carried out after this time is taken to be lost. */
const inFlightMs = 3_600_000;

/** Machines with a journal whose process is gone, and removed ones whose instance could still appear. Changes nothing but what killed commands left in writing. */
export async function findLeftovers(context: MachineContext, signal: AbortSignal): Promise<Leftover[]> {
  await sweepStore(context);
  const [present, removed] = await Promise.all([
    findIn(context, findInterruption, signal),
    // Whose grave it is is at work on it no more.
    findIn(buriedContext(context), async (store, name) => await readJournal(store.machineDir(name)), signal),
  ]);
  return [...present, ...removed.map((leftover) => ({ ...leftover, removed: true }))];
}

type ReadJournal = (store: Store, name: string) => Promise<JournalReading | undefined>;

async function findIn(context: MachineContext, read: ReadJournal, signal: AbortSignal): Promise<Leftover[]> {
  const look = async (name: string): Promise<Leftover[]> => await inspect(context, name, await read(context.store, name), signal);
  const outcomes = await forEachMachine(await context.store.list(), atOnce, look);
  return outcomes.flatMap(({ value }) => value ?? []);
}

function buriedContext(context: MachineContext): MachineContext {
  return { ...context, store: context.store.buried };
}

async function inspect(
  context: MachineContext,
  name: string,
  journal: JournalReading | undefined,
  signal: AbortSignal,
): Promise<Leftover[]> {
  if (journal === undefined) return [];
  const base = { name, command: journal.command, step: journal.lastStep, what: whatHappened(journal) };
  try {
    await using host = await openHost(context, name);
    return [{ ...base, instances: await findInstances(context, host, signal) }];
  } catch (error) {
    signal.throwIfAborted();
    return [{ ...base, instances: [], complaint: messageOf(error) }];
  }
}

async function findInstances(context: MachineContext, host: Host, signal: AbortSignal): Promise<readonly string[]> {
  const otherwise = `The driver of "${host.name}" did not tell its instances`;
  const patience = { ms: context.timeouts.stateMs, clock: context.clock, signal };
  const resources = await within(patience, async (inner) => (await host.driver.findResources?.(inner)) ?? [], otherwise);
  return resources.map(({ kind, id }) => (kind === "instance" ? id : `${kind} ${id}`));
}

/**
 * Removes what a cut-off `create` or `rm` left; machines cut off in other commands are whole and stay. What is kept of a
 * removed machine goes once its instance is gone and no late one is to be expected.
 */
export async function removeLeftovers(
  context: MachineContext,
  leftovers: readonly Leftover[],
  signal: AbortSignal,
): Promise<Outcome<void>[]> {
  const removable = leftovers.filter(({ command, removed }) => removed === true || command === "create" || command === "rm");
  return await forEachMachine(
    removable.map(({ name }) => name),
    atOnce,
    async (name) => {
      const removed = removable.find((leftover) => leftover.name === name)?.removed === true;
      if (removed) await clearGrave(buriedContext(context), name, signal);
      else await removeMachine(context, { name, force: false, restore: false, onlyInterrupted: true }, signal);
    },
  );
}

async function clearGrave(context: MachineContext, name: string, signal: AbortSignal): Promise<void> {
  const journal = await readJournal(context.store.machineDir(name));
  await using host = await openHost(context, name);
  await removeAtProvider(context, host, context.timeouts.driverMs, signal);
  const ageMs = context.clock.now().getTime() - (journal?.at.getTime() ?? 0);
  if (ageMs > inFlightMs) await context.store.remove(name);
}
