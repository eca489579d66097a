import { openHost } from "../../machine/host/open-host.ts";
import { stateOf } from "../../machine/host/wait-for-state.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { openContext } from "../open-context.ts";
import { nameOrDefault } from "../named-machines.ts";

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  await using host = await openHost(machineContext, await nameOrDefault(machineContext, args));
  const state = await stateOf(machineContext, host, context.signal);
  if (context.globals.output === "json") context.printJson({ name: host.name, state });
  else context.print(state);
}
