import { openHost } from "../../machine/open-host.ts";
import type { MachinePorts } from "../../machine/ports.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { readMachines } from "../machines.ts";

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const read = async (ports: MachinePorts, name: string): Promise<{ name: string; ip: string }> => {
    await using host = await openHost(ports, name);
    return { name, ip: await host.driver.getIp() };
  };
  await readMachines(context, args, read, ({ ip }) => ip);
}
