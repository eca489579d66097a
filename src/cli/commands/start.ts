import { changeState } from "../../machine/lifecycle.ts";
import { waitForMachine } from "../../machine/wait.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { sayAddressesMayChange, workOnMachines } from "../named-machines.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const already = invocation.options.bool("wait") ? "welcome" : "refused";
  const start = async (machineContext: MachineContext, name: string): Promise<void> => {
    const isStarted = await changeState(machineContext, name, "start", context.signal, already);
    // A start waits by itself.
    if (isStarted) return;
    await waitForMachine(machineContext, name, undefined, machineContext.timeouts.engineMs, context.signal);
  };
  const isDone = await workOnMachines(context, invocation, start);
  if (isDone) sayAddressesMayChange("Started", context);
}
