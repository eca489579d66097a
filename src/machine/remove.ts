/** `rm`: the instance first, the record last, so that nothing at a provider is ever without a record. */
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { restoreHost } from "../provision/provision.ts";
import { within } from "./bounded.ts";
import type { Host } from "./host.ts";
import { openHost } from "./open-host.ts";
import { readJournal } from "./journal.ts";
import { lockMachine } from "./lock.ts";
import type { MachinePorts } from "./ports.ts";
import { bareRequest, provisionContext } from "./provision-machine.ts";
import { sweepStore } from "./sweep.ts";

export interface RemoveRequest {
  readonly name: string;
  /** Remove the record even when the instance cannot be removed. */
  readonly force: boolean;
  /** Take an adopted host back to how it was found. */
  readonly restore: boolean;
  /** Remove it only while its journal tells of an interrupted create or rm: someone may have finished it meanwhile. */
  readonly onlyInterrupted?: boolean | undefined;
}

/** Throws when the instance could not be removed (the record stays, unless forced) or no such machine exists. */
export async function removeMachine(ports: MachinePorts, request: RemoveRequest, signal: AbortSignal): Promise<void> {
  const { name, force } = request;
  await using _lock = await lockMachine(ports, name, "rm", signal).catch((error: unknown) => {
    throw explain(name, error);
  });
  await sweepStore(ports);
  if (request.onlyInterrupted === true) await requireLeftover(ports, name);
  let isTraceable = true;
  try {
    await using host = await openHost(ports, name);
    isTraceable = canFindInstances(host);
    await removeInstance(ports, host, request, signal);
  } catch (error) {
    if (!force || signal.aborted || isMachineError(error, "machine-not-found")) throw explain(name, error);
    logTo(ports.reportFor(name), "error", explain(name, error).message);
  }
  await forgetMachine(ports, name, isTraceable);
}

/** Undoes a create that did not end: the instance, then the record. Throws what the driver throws; the record stays then. */
export async function undoCreate(ports: MachinePorts, host: Host, signal: AbortSignal): Promise<void> {
  const journal = await host.openJournal("create", "go-on");
  await journal.step("roll-back", async () => await removeAtProvider(ports, host, ports.timeouts.rollbackMs, signal));
  await forgetMachine(ports, host.name, canFindInstances(host));
}

/**
 * Drops the record. Where a create was cut off with its request to the provider under way, the instance may still come
 * into being: then the record is kept apart for `gc`, which removes it once nothing can appear any more.
 */
async function forgetMachine(ports: MachinePorts, name: string, isTraceable: boolean): Promise<void> {
  const journal = await readJournal(ports.store.machineDir(name));
  const isUncertain = journal?.command === "create" && journal.has("instance", "begun") && !journal.has("instance", "done");
  if (isUncertain && isTraceable && journal.createId !== "") await ports.store.bury(name, journal.createId);
  else await ports.store.remove(name);
}

/** Keeping the record of an instance that nobody could find would help nobody. */
function canFindInstances(host: Host): boolean {
  return host.driver.findInstances !== undefined;
}

async function removeInstance(ports: MachinePorts, host: Host, request: RemoveRequest, signal: AbortSignal): Promise<void> {
  // Removing goes on without its notes when the disk is full: it is how space is made.
  const journal = await host.openJournal("rm", "go-on");
  if (request.restore) {
    await journal.step("restore-host", async () => {
      await using ssh = await host.openSsh();
      await restoreHost(await bareRequest(ports, host), provisionContext(ports, host, ssh, signal));
    });
  }
  await journal.step("remove-instance", async () => await removeAtProvider(ports, host, ports.timeouts.driverMs, signal));
}

export async function removeAtProvider(ports: MachinePorts, host: Host, ms: number, signal: AbortSignal): Promise<void> {
  const otherwise = `The driver of "${host.name}" did not remove the instance`;
  await within({ ms, otherwise, clock: ports.clock, signal }, async (bound) => await host.driver.remove(bound));
}

async function requireLeftover(ports: MachinePorts, name: string): Promise<void> {
  const journal = await readJournal(ports.store.machineDir(name));
  if (journal?.command === "create" || journal?.command === "rm") return;
  throw new MachineError("machine-state", `"${name}" is not what an interrupted command left: it was finished meanwhile`);
}

function explain(name: string, error: unknown): MachineError {
  const message = `Error removing host "${name}": ${messageOf(error)}`;
  if (!isMachineError(error)) return new MachineError("driver-failed", message, { cause: error });
  return new MachineError(error.code, message, { cause: error, hint: error.hint });
}
