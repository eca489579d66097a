/** `provision` and `upgrade`: work on the engine of a machine that exists. */
import type { ProvisionRequest } from "../provision/provision-request.ts";
import { upgradeEngine } from "../provision/provision.ts";
import { logTo } from "../log/event.ts";
import { bringUp } from "./bring-up.ts";
import { prepareAuthority } from "./certificates.ts";
import { engineVersionOf, waitForEngine } from "./host/engine-connection.ts";
import type { Host } from "./host/host.ts";
import { openHost } from "./host/open-host.ts";
import { stateOf } from "./host/wait-for-state.ts";
import { workOnHost } from "./host/work-on-host.ts";
import { isBeingUndone, requireCreated } from "./interruption/interrupted.ts";
import { readJournal } from "./interruption/journal.ts";
import { startHost } from "./lifecycle.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import type { MachineContext } from "./machine-context.ts";
import { requireOwner } from "./host/provision-request.ts";
import { keepTrust, provisionMachine, provisionRequest } from "./provision-machine.ts";
import { provisionContext } from "./host/provision-context.ts";

/** Repeats provisioning from the facts on; an interrupted `create` is gone on with from where it was. */
export async function provisionAgain(context: MachineContext, name: string, signal: AbortSignal): Promise<void> {
  await using lock = await lockMachine(context, name, "provision", signal);
  await using host = await openHost(context, name);
  await prepareAuthority(context, lock.signal);
  const earlier = await readJournal(host.dir);
  if (earlier?.command === "create" && !isBeingUndone(earlier)) return await bringUp(context, host, earlier, lock.signal);
  requireOwner(host);
  const work = { command: "provision", step: "provision" } as const;
  await workOnHost(
    context,
    host,
    work,
    lock.signal,
    async (ssh) => void (await provisionMachine(context, host, ssh, lock.signal)),
  );
}

/**
 * Brings the engine to the newest version its source offers, or to the one given, which may be older; a machine that does
 * not run is started for it. Gives the version before and after.
 */
export async function upgradeMachine(
  context: MachineContext,
  name: string,
  signal: AbortSignal,
  version?: string,
): Promise<{ readonly before: string; readonly after: string }> {
  await using lock = await lockMachine(context, name, "upgrade", signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  requireOwner(host);
  await startFirst(context, host, lock.signal);
  const work = { command: "upgrade", step: "provision" } as const;
  return await workOnHost(context, host, work, lock.signal, async (ssh) => {
    const before = await engineVersionOf(context, host, lock.signal).catch(() => "");
    const outcome = await upgradeEngine(
      ofVersion(await provisionRequest(context, host), version),
      provisionContext(context, host, ssh, lock.signal),
    );
    // What was asked for once is asked for from now on.
    if (version !== undefined && host.record.extra.EngineVersion !== undefined) host.record.extra.EngineVersion = version;
    await keepTrust(host, outcome);
    await waitForEngine(context, host, lock.signal);
    return { before, after: outcome.engineVersion };
  });
}

function ofVersion(request: ProvisionRequest, version: string | undefined): ProvisionRequest {
  return version === undefined ? request : { ...request, engine: { ...request.engine, version, allowDowngrade: true } };
}

/** In 0.16.2's words. */
async function startFirst(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  if ((await stateOf(context, host, signal)) === "Running") return;
  logTo(host.report, "info", "Starting machine so machine can be upgraded...");
  await startHost(context, host, signal);
}
