/** `provision` and `upgrade`: work on the engine of a machine that exists. */
import { upgradeEngine } from "../provision/provision.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import { bringUp } from "./bring-up.ts";
import { prepareAuthority } from "./certificates.ts";
import { engineVersionOf, waitForEngine } from "./host/engine-connection.ts";
import type { Host } from "./host/host.ts";
import { locate } from "./host/locate.ts";
import { openHost } from "./host/open-host.ts";
import { isBeingUndone, requireCreated } from "./interruption/interrupted.ts";
import { readJournal, type JournaledCommand } from "./interruption/journal.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import type { MachineContext } from "./machine-context.ts";
import { keepTrust, provisionContext, provisionMachine, provisionRequest } from "./provision-machine.ts";

/** Repeats provisioning from the facts on; an interrupted `create` is gone on with from where it was. */
export async function provisionAgain(context: MachineContext, name: string, signal: AbortSignal): Promise<void> {
  await using _lock = await lockMachine(context, name, "provision", signal);
  await using host = await openHost(context, name);
  await prepareAuthority(context, signal);
  const earlier = await readJournal(host.dir);
  if (earlier?.command === "create" && !isBeingUndone(earlier)) return await bringUp(context, host, earlier, signal);
  await maintain(context, host, "provision", signal, async (ssh) => void (await provisionMachine(context, host, ssh, signal)));
}

/** Brings the engine to the newest version its source offers. Gives the version before and after. */
export async function upgradeMachine(
  context: MachineContext,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly before: string; readonly after: string }> {
  await using _lock = await lockMachine(context, name, "upgrade", signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  return await maintain(context, host, "upgrade", signal, async (ssh) => {
    const before = await engineVersionOf(context, host, signal).catch(() => "");
    const outcome = await upgradeEngine(await provisionRequest(context, host), provisionContext(context, host, ssh, signal));
    await keepTrust(host, outcome);
    await waitForEngine(context, host, signal);
    return { before, after: outcome.engineVersion };
  });
}

/** Logs in where the machine is now, does the work under its journal, and saves what the driver learned. The caller holds the machine's lock. */
export async function maintain<T>(
  context: MachineContext,
  host: Host,
  command: JournaledCommand,
  signal: AbortSignal,
  work: (ssh: SshExecutor) => Promise<T>,
): Promise<T> {
  await locate(context, host, signal);
  await using ssh = await host.openSsh();
  await ssh.connect();
  const journal = await host.openJournal(command);
  const result = await journal.step("provision", async () => await work(ssh));
  await host.save();
  await journal.close();
  return result;
}
