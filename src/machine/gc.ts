/**
 * `gc`: what interrupted commands left behind. A machine whose create was cut off keeps its record and its journal; this
 * lists it with the instances at its provider that bear its own create id, and removes it when asked. Instances of
 * others are never listed, because only the create id counts, not a name.
 */
import { messageOf } from "../errors/machine-error.ts";
import { within } from "./bounded.ts";
import type { Host } from "./host.ts";
import { openHost } from "./open-host.ts";
import { findInterruption, whatHappened } from "./interrupted.ts";
import { readJournal, type JournalReading } from "./journal.ts";
import { forEachMachine } from "./many.ts";
import type { MachinePorts, Outcome } from "./ports.ts";
import { sweepStore } from "./sweep.ts";
import { removeAtProvider, removeMachine } from "./remove.ts";

export interface Leftover {
  readonly name: string;
  readonly command: string;
  readonly step: string;
  /** Both in words. */
  readonly what: string;
  /** Identifiers at the provider; empty where nothing is known to exist there. */
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
export async function findLeftovers(ports: MachinePorts, signal: AbortSignal): Promise<Leftover[]> {
  await sweepStore(ports);
  const [present, removed] = await Promise.all([
    findIn(ports, findInterruption, signal),
    // Whose grave it is is at work on it no more.
    findIn(buriedPorts(ports), readJournal, signal),
  ]);
  return [...present, ...removed.map((leftover) => ({ ...leftover, removed: true }))];
}

type ReadJournal = (machineDir: string) => Promise<JournalReading | undefined>;

async function findIn(ports: MachinePorts, read: ReadJournal, signal: AbortSignal): Promise<Leftover[]> {
  const look = async (name: string): Promise<Leftover[]> =>
    await inspect(ports, name, await read(ports.store.machineDir(name)), signal);
  const outcomes = await forEachMachine(await ports.store.list(), atOnce, look);
  return outcomes.flatMap(({ value }) => value ?? []);
}

function buriedPorts(ports: MachinePorts): MachinePorts {
  return { ...ports, store: ports.store.buried };
}

async function inspect(
  ports: MachinePorts,
  name: string,
  journal: JournalReading | undefined,
  signal: AbortSignal,
): Promise<Leftover[]> {
  if (journal === undefined) return [];
  const base = { name, command: journal.command, step: journal.lastStep, what: whatHappened(journal) };
  try {
    await using host = await openHost(ports, name);
    return [{ ...base, instances: await findInstances(ports, host, signal) }];
  } catch (error) {
    signal.throwIfAborted();
    return [{ ...base, instances: [], complaint: messageOf(error) }];
  }
}

async function findInstances(ports: MachinePorts, host: Host, signal: AbortSignal): Promise<readonly string[]> {
  const otherwise = `The driver of "${host.name}" did not tell its instances`;
  const bound = { ms: ports.timeouts.stateMs, otherwise, clock: ports.clock, signal };
  return await within(bound, async (inner) => (await host.driver.findInstances?.(inner)) ?? []);
}

/**
 * Removes what a cut-off `create` or `rm` left; machines cut off in other commands are whole and stay. What is kept of a
 * removed machine goes once its instance is gone and no late one is to be expected.
 */
export async function removeLeftovers(
  ports: MachinePorts,
  leftovers: readonly Leftover[],
  signal: AbortSignal,
): Promise<Outcome<void>[]> {
  const removable = leftovers.filter(({ command, removed }) => removed === true || command === "create" || command === "rm");
  return await forEachMachine(
    removable.map(({ name }) => name),
    atOnce,
    async (name) => {
      const removed = removable.find((leftover) => leftover.name === name)?.removed === true;
      if (removed) await clearGrave(buriedPorts(ports), name, signal);
      else await removeMachine(ports, { name, force: false, restore: false, onlyInterrupted: true }, signal);
    },
  );
}

async function clearGrave(ports: MachinePorts, name: string, signal: AbortSignal): Promise<void> {
  const journal = await readJournal(ports.store.machineDir(name));
  await using host = await openHost(ports, name);
  await removeAtProvider(ports, host, ports.timeouts.driverMs, signal);
  const ageMs = ports.clock.now().getTime() - (journal?.at.getTime() ?? 0);
  if (ageMs > inFlightMs) await ports.store.remove(name);
}
