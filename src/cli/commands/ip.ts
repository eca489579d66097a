import { openHost } from "../../machine/host.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { readMachines } from "../machines.ts";

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const json = context.globals.output === "json";
  const found: { name: string; ip: string }[] = [];
  await readMachines(context, args, async (ports, name) => {
    await using host = await openHost(ports, name);
    const ip = await host.driver.getIp();
    found.push({ name, ip });
    return json ? undefined : ip;
  });
  if (json) context.printJson(found);
}
