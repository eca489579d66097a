/** `provision` and `upgrade`: work on the engine of a machine that exists. */
import { upgradeEngine } from "../provision/provision.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import { bringUp } from "./bring-up.ts";
import { prepareAuthority } from "./certificates.ts";
import { engineVersionOf, waitForEngine } from "./engine-connection.ts";
import type { Host } from "./host.ts";
import { openHost } from "./open-host.ts";
import { isBeingUndone, requireCreated } from "./interrupted.ts";
import { readJournal, type JournaledCommand } from "./journal.ts";
import { lockMachine } from "./lock.ts";
import type { MachinePorts } from "./ports.ts";
import { provisionContext, provisionMachine, provisionRequest } from "./provision-machine.ts";

/** Repeats provisioning from the facts on; an interrupted `create` is gone on with from where it was. */
export async function provisionAgain(ports: MachinePorts, name: string, signal: AbortSignal): Promise<void> {
  await using _lock = await lockMachine(ports, name, "provision", signal);
  await using host = await openHost(ports, name);
  await prepareAuthority(ports, signal);
  const earlier = await readJournal(host.dir);
  if (earlier?.command === "create" && !isBeingUndone(earlier)) return await bringUp(ports, host, earlier, signal);
  await maintain(host, "provision", async (ssh) => void (await provisionMachine(ports, host, ssh, signal)));
}

/** Brings the engine to the newest version its source offers. Gives the version before and after. */
export async function upgradeMachine(
  ports: MachinePorts,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly before: string; readonly after: string }> {
  await using _lock = await lockMachine(ports, name, "upgrade", signal);
  await using host = await openHost(ports, name);
  await requireCreated(host);
  return await maintain(host, "upgrade", async (ssh) => {
    const before = await engineVersionOf(ports, host, signal).catch(() => "");
    const { engineVersion } = await upgradeEngine(
      await provisionRequest(ports, host),
      provisionContext(ports, host, ssh, signal),
    );
    await waitForEngine(ports, host, signal);
    return { before, after: engineVersion };
  });
}

/** Logs in, does the work under its journal, and saves what the driver learned. The caller holds the machine's lock. */
export async function maintain<T>(host: Host, command: JournaledCommand, work: (ssh: SshExecutor) => Promise<T>): Promise<T> {
  await using ssh = await host.openSsh();
  await ssh.connect();
  const journal = await host.openJournal(command);
  const result = await journal.step("provision", async () => await work(ssh));
  await host.save();
  await journal.close();
  return result;
}
