/**
 * `gc`: what interrupted commands left behind. A machine whose create was cut off keeps its record and its journal; this
 * lists it with the instances at its provider that bear its own create id, and removes it when asked. Instances of
 * others are never listed, because only the create id counts, not a name.
 */
import { messageOf } from "../errors/machine-error.ts";
import { openHost } from "./host.ts";
import { readJournal } from "./journal.ts";
import { forEachMachine } from "./many.ts";
import type { MachinePorts, Outcome } from "./ports.ts";
import { removeMachine } from "./remove.ts";

export interface Leftover {
  readonly name: string;
  readonly command: string;
  readonly step: string;
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

/** Machines with a journal whose process is gone, and removed ones whose instance could still appear. Changes nothing. */
export async function findLeftovers(ports: MachinePorts, signal: AbortSignal): Promise<Leftover[]> {
  const [present, removed] = await Promise.all([ports, buriedPorts(ports)].map(async (side) => await findIn(side, signal)));
  return [...(present ?? []), ...(removed ?? []).map((leftover) => ({ ...leftover, removed: true }))];
}

async function findIn(ports: MachinePorts, signal: AbortSignal): Promise<Leftover[]> {
  const outcomes = await forEachMachine(await ports.store.list(), atOnce, async (name) => await inspect(ports, name, signal));
  return outcomes.flatMap(({ value }) => value ?? []);
}

function buriedPorts(ports: MachinePorts): MachinePorts {
  return { ...ports, store: ports.store.buried };
}

async function inspect(ports: MachinePorts, name: string, signal: AbortSignal): Promise<Leftover[]> {
  const journal = await readJournal(ports.store.machineDir(name));
  if (journal === undefined || journal.active) return [];
  const base = { name, command: journal.command, step: journal.lastStep };
  try {
    await using host = await openHost(ports, name);
    return [{ ...base, instances: (await host.driver.findInstances?.(signal)) ?? [] }];
  } catch (error) {
    signal.throwIfAborted();
    return [{ ...base, instances: [], complaint: messageOf(error) }];
  }
}

/**
 * Removes what a cut-off `create` or `rm` left; machines cut off in other commands are whole and stay. What is kept of a
 * removed machine goes once its instance is gone and no late one is to be expected.
 */
export async function removeLeftovers(ports: MachinePorts, leftovers: readonly Leftover[], signal: AbortSignal): Promise<Outcome<void>[]> {
  const removable = leftovers.filter(({ command, removed }) => removed === true || command === "create" || command === "rm");
  return await forEachMachine(removable.map(({ name }) => name), atOnce, async (name) => {
    const removed = removable.find((leftover) => leftover.name === name)?.removed === true;
    if (removed) await clearGrave(buriedPorts(ports), name, signal);
    else await removeMachine(ports, { name, force: false, restore: false }, signal);
  });
}

async function clearGrave(ports: MachinePorts, name: string, signal: AbortSignal): Promise<void> {
  const journal = await readJournal(ports.store.machineDir(name));
  await using host = await openHost(ports, name);
  await host.driver.remove(signal);
  const ageMs = ports.clock.now().getTime() - (journal?.at.getTime() ?? 0);
  if (ageMs > inFlightMs) await ports.store.remove(name);
}
