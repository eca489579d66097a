import { oneLine } from "../../log/plain-text.ts";
import { openHost } from "../../machine/host/open-host.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { Invocation } from "../command.ts";
import { beginningWith } from "../connection-error.ts";
import type { CliContext } from "../cli-context.ts";
import { readMachines } from "../named-machines.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const read = async (machineContext: MachineContext, name: string): Promise<{ name: string; ip: string }> => {
    await using host = await openHost(machineContext, name);
    return { name, ip: await beginningWith("Error getting IP address", async () => await host.driver.getIp()) };
  };
  await readMachines(context, invocation, read, ({ ip }) => oneLine(ip));
}
