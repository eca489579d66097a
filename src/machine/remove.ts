/** `rm`: the instance first, the record last, so that nothing at a provider is ever without a record. */
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { restoreHost } from "../provision/provision.ts";
import { within } from "../system/waiting.ts";
import type { Host } from "./host/host.ts";
import { openHost } from "./host/open-host.ts";
import { withdrawOwnKey } from "./host/own-key.ts";
import { forgetIntegration } from "./integration/in-step.ts";
import { readJournal } from "./interruption/journal.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import type { MachineContext } from "./machine-context.ts";
import { bareRequest } from "./host/provision-request.ts";
import { provisionContext } from "./host/provision-context.ts";
import { endPublished } from "./published/keep.ts";
import { sweepStore } from "./interruption/sweep.ts";
import { requireUnprotected } from "./selection/protection.ts";

export interface RemoveRequest {
  readonly name: string;
  /** Remove the record even when the instance cannot be removed. */
  readonly force: boolean;
  /** Take an adopted host back to how it was found. */
  readonly restore: boolean;
  /** Remove it only while its journal tells of an interrupted create or rm: someone may have finished it meanwhile. */
  readonly onlyInterrupted?: boolean | undefined;
  /** Asked once the machine's lock is held: what it throws is thrown, and nothing is removed. */
  readonly require?: (() => Promise<void>) | undefined;
}

/**
 * Throws when the instance could not be removed (the record stays, unless forced), or no such machine exists; also where
 * it is forced, `machine-protected`.
 */
export async function removeMachine(context: MachineContext, request: RemoveRequest, signal: AbortSignal): Promise<void> {
  const { name, force } = request;
  await using lock = await lockMachine(context, name, "rm", signal).catch((error: unknown) => {
    throw explain(name, error);
  });
  await requireUnprotected(context, name, "removed");
  await sweepStore(context);
  if (request.onlyInterrupted === true) await requireLeftover(context, name);
  await request.require?.();
  let isTraceable = true;
  try {
    await using host = await openHost(context, name);
    isTraceable = canFindInstances(host);
    await removeInstance(context, host, request, lock.signal);
  } catch (error) {
    if (!force || lock.signal.aborted || isMachineError(error, "machine-not-found")) throw explain(name, error);
    // Whoever answers there is not the host that was to be taken back: with the record the way to it would be lost.
    if (request.restore && isMachineError(error, "host-key-mismatch")) throw keptRecord(name, error);
    logTo(context.reportFor(name), "error", explain(name, error).message);
  }
  await forgetMachine(context, name, isTraceable);
}

/** Undoes a create that did not end: the instance, then the record. Throws what the driver throws; the record stays then. */
export async function undoCreate(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  const journal = await host.openJournal("create", "go-on");
  await journal.step("roll-back", async () => await removeAtProvider(context, host, context.timeouts.rollbackMs, signal));
  await forgetMachine(context, host.name, canFindInstances(host));
}

/**
 * Drops the record. Where a create was cut off with its request to the provider under way, the instance may still come
 * into being: then the record is kept apart for `gc`, which removes it once nothing can appear any more.
 */
async function forgetMachine(context: MachineContext, name: string, isTraceable: boolean): Promise<void> {
  await forgetIntegration(context, name);
  const journal = await readJournal(context.store.machineDir(name));
  const isUncertain = journal?.command === "create" && journal.has("instance", "begun") && !journal.has("instance", "done");
  if (isUncertain && isTraceable && journal.createId !== "") await context.store.bury(name, journal.createId);
  else await context.store.remove(name);
}

/** Keeping the record of an instance that nobody could find would help nobody. */
function canFindInstances(host: Host): boolean {
  return host.driver.findResources !== undefined;
}

async function removeInstance(context: MachineContext, host: Host, request: RemoveRequest, signal: AbortSignal): Promise<void> {
  // Removing goes on without its notes when the disk is full: it is how space is made.
  const journal = await host.openJournal("rm", "go-on");
  if (request.restore) {
    await using ssh = await host.openSsh();
    // A host that cannot be reached is as it was, and so is its machine.
    await ssh.connect();
    await journal.step("restore-host", async () => {
      await restoreHost(await bareRequest(context, host), provisionContext(context, host, ssh, signal));
      // Last: by this key the connection was made.
      await withdrawOwnKey(context, host, ssh, signal);
    });
  }
  await journal.step("remove-instance", async () => await removeAtProvider(context, host, context.timeouts.driverMs, signal));
}

export async function removeAtProvider(context: MachineContext, host: Host, ms: number, signal: AbortSignal): Promise<void> {
  const otherwise = `The driver of "${host.name}" did not remove the instance`;
  await within({ ms, clock: context.clock, signal }, async (bound) => await host.driver.remove(bound), otherwise);
  await endPublished(context, host);
}

async function requireLeftover(context: MachineContext, name: string): Promise<void> {
  const journal = await readJournal(context.store.machineDir(name));
  if (journal?.command === "create" || journal?.command === "rm") return;
  throw new MachineError("machine-state", `"${name}" is not what an interrupted command left: it was finished meanwhile`);
}

function keptRecord(name: string, error: MachineError): MachineError {
  return new MachineError(error.code, `${explain(name, error).message}. The record and the pinned key of "${name}" are kept`, {
    cause: error,
    hint: error.hint,
  });
}

function explain(name: string, error: unknown): MachineError {
  const message = `Error removing host "${name}": ${messageOf(error)}`;
  if (!isMachineError(error)) return new MachineError("driver-failed", message, { cause: error });
  return new MachineError(error.code, message, { cause: error, hint: error.hint });
}
