import { changeState } from "../../machine/lifecycle.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { workOnMachines } from "../named-machines.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { options } = invocation;
  const keepsMemory = options.isSet("suspend") ? options.bool("suspend") : undefined;
  const stop = async (machineContext: MachineContext, name: string): Promise<boolean> =>
    await changeState(machineContext, name, "stop", context.signal, "refused", keepsMemory);
  await workOnMachines(context, invocation, stop);
}
