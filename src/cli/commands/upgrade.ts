import { upgradeMachine } from "../../machine/maintain.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { workOnMachines } from "../named-machines.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  await workOnMachines(
    context,
    invocation,
    async (machineContext, name) => await upgradeMachine(machineContext, name, context.signal),
    ({ before, after }, name) =>
      before === after
        ? `Docker ${after} of "${name}" is the newest`
        : `Docker of "${name}" was upgraded from ${before} to ${after}`,
  );
}
