/** `provision` and `upgrade`: work on the engine of a machine that exists. */
import { upgradeEngine } from "../provision/provision.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import { prepareAuthority } from "./certificates.ts";
import { engineVersionOf, waitForEngine } from "./engine-connection.ts";
import { openHost, type Host } from "./host.ts";
import { Journal, type JournaledCommand } from "./journal.ts";
import type { MachinePorts } from "./ports.ts";
import { provisionContext, provisionMachine, provisionRequest } from "./provision-machine.ts";

/** Repeats provisioning from the facts on; continues what an interrupted `create` left. */
export async function provisionAgain(ports: MachinePorts, name: string, signal: AbortSignal): Promise<void> {
  await maintain(ports, name, "provision", signal, async (host, ssh) => {
    await prepareAuthority(ports, signal);
    await provisionMachine(ports, host, ssh, signal);
  });
}

/** Brings the engine to the newest version its source offers. Gives the version before and after. */
export async function upgradeMachine(ports: MachinePorts, name: string, signal: AbortSignal): Promise<{ readonly before: string; readonly after: string }> {
  return await maintain(ports, name, "upgrade", signal, async (host, ssh) => {
    const before = await engineVersionOf(ports, host, signal).catch(() => "");
    const { engineVersion } = await upgradeEngine(await provisionRequest(ports, host), provisionContext(ports, host, ssh, signal));
    await waitForEngine(ports, host, signal);
    return { before, after: engineVersion };
  });
}

async function maintain<T>(
  ports: MachinePorts,
  name: string,
  command: JournaledCommand,
  signal: AbortSignal,
  work: (host: Host, ssh: SshExecutor) => Promise<T>,
): Promise<T> {
  await using _lock = await ports.store.lockMachine(name, { purpose: `${command} ${name}`, waitMs: ports.timeouts.lockMs, signal });
  await using host = await openHost(ports, name);
  await using ssh = await host.openSsh();
  await ssh.connect();
  const journal = await Journal.open(host.dir, command, host.record.extra.CreateId ?? "", ports.clock);
  const result = await journal.step("provision", async () => await work(host, ssh));
  await host.save();
  await journal.close();
  return result;
}
