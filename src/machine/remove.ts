/** `rm`: the instance first, the record last, so that nothing at a provider is ever without a record. */
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { restoreHost } from "../provision/provision.ts";
import { openHost, type Host } from "./host.ts";
import { Journal, readJournal } from "./journal.ts";
import type { MachinePorts } from "./ports.ts";
import { bareRequest, provisionContext } from "./provision-machine.ts";

export interface RemoveRequest {
  readonly name: string;
  /** Remove the record even when the instance cannot be removed. */
  readonly force: boolean;
  /** Take an adopted host back to how it was found. */
  readonly restore: boolean;
}

/** Throws when the instance could not be removed (the record stays, unless forced) or no such machine exists. */
export async function removeMachine(ports: MachinePorts, request: RemoveRequest, signal: AbortSignal): Promise<void> {
  const { name, force } = request;
  const lockRequest = { purpose: `rm ${name}`, waitMs: ports.timeouts.lockMs, signal };
  await using _lock = await ports.store.lockMachine(name, lockRequest).catch((error: unknown) => {
    throw explain(name, error);
  });
  try {
    await using host = await openHost(ports, name);
    await removeInstance(ports, host, request, signal);
  } catch (error) {
    if (!force || signal.aborted || isMachineError(error, "machine-not-found")) throw explain(name, error);
    logTo(ports.reportFor(name), "error", explain(name, error).message);
  }
  await forgetMachine(ports, name);
}

/**
 * Drops the record. Where a create was cut off with its request to the provider under way, the instance may still come
 * into being: then the record is kept apart for `gc`, which removes it once nothing can appear any more.
 */
export async function forgetMachine(ports: MachinePorts, name: string): Promise<void> {
  const journal = await readJournal(ports.store.machineDir(name));
  const uncertain = journal?.command === "create" && journal.has("instance", "begun") && !journal.has("instance", "done");
  if (uncertain && journal.createId !== "") await ports.store.bury(name, journal.createId);
  else await ports.store.remove(name);
}

async function removeInstance(ports: MachinePorts, host: Host, request: RemoveRequest, signal: AbortSignal): Promise<void> {
  const journal = await Journal.open(host.dir, "rm", host.record.extra.CreateId ?? "", ports.clock);
  if (request.restore) {
    await journal.step("restore-host", async () => {
      await using ssh = await host.openSsh();
      await restoreHost(await bareRequest(ports, host), provisionContext(ports, host, ssh, signal));
    });
  }
  await journal.step("remove-instance", async () => await host.driver.remove(signal));
}

function explain(name: string, error: unknown): MachineError {
  const message = `Error removing host "${name}": ${messageOf(error)}`;
  if (!isMachineError(error)) return new MachineError("driver-failed", message, { cause: error });
  return new MachineError(error.code, message, { cause: error, hint: error.hint });
}
