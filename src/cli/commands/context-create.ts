import { createContext } from "../../machine/integration/create-context.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { readMachines } from "../named-machines.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  await readMachines(
    context,
    invocation,
    async (machineContext, name) => await createContext(machineContext, name, context.signal),
    ({ name, context: made }) => `The docker context "${made}" leads to "${name}"`,
  );
}
