import { openHost } from "../../machine/open-host.ts";
import { stateOf } from "../../machine/wait-for-state.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { openPorts } from "../machine-ports.ts";
import { nameOrDefault } from "../machines.ts";

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const ports = openPorts(context);
  await using host = await openHost(ports, await nameOrDefault(ports, args));
  const state = await stateOf(ports, host, context.signal);
  if (context.globals.output === "json") context.printJson({ name: host.name, state });
  else context.print(state);
}
