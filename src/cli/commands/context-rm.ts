import { removeContext } from "../../machine/integration/contexts.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { readMachines } from "../named-machines.ts";

/** The machines stay. */
export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  await readMachines(
    context,
    invocation,
    async (machineContext, name) => ({ name, removed: await removeContext(machineContext, name) }),
    ({ name, removed }) => (removed ? `The docker context of "${name}" was removed` : `"${name}" has no docker context`),
  );
}
