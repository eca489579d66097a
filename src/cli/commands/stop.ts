import { changeState } from "../../machine/lifecycle.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { workOnMachines } from "../named-machines.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  await workOnMachines(
    context,
    invocation,
    async (machineContext, name) => await changeState(machineContext, name, "stop", context.signal),
  );
}
