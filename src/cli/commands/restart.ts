import { changeState } from "../../machine/lifecycle.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { sayAddressesMayChange, workOnMachines } from "../named-machines.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const isDone = await workOnMachines(
    context,
    invocation,
    async (machineContext, name) => await changeState(machineContext, name, "restart", context.signal),
  );
  if (isDone) sayAddressesMayChange("Restarted", context);
}
