import { logTo } from "../../log/event.ts";
import { openHost } from "../../machine/host/open-host.ts";
import { stateOf } from "../../machine/host/wait-for-state.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { openContext } from "../open-context.ts";
import { nameOrDefault } from "../named-machines.ts";

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  await using host = await openHost(machineContext, await nameOrDefault(machineContext, args));
  const startedMs = machineContext.clock.monotonicMs();
  const state = await stateOf(machineContext, host, context.signal);
  const ms = Math.round(machineContext.clock.monotonicMs() - startedMs);
  logTo(context.report, "debug", `"${host.name}": the driver ${host.driver.driverName} answered in ${ms} ms`);
  if (context.globals.output === "json") context.printJson({ name: host.name, state });
  else context.print(state);
}
