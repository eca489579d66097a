import { setProtection } from "../../machine/selection/protection.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { workOnMachines } from "../named-machines.ts";

/** `protect` and `unprotect`. */
export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const isProtected = invocation.command.name === "protect";
  await workOnMachines(
    context,
    invocation,
    async (machineContext, name) => await setProtection(machineContext, name, isProtected, context.signal),
    (_, name) => (isProtected ? `"${name}" is protected` : `"${name}" is not protected any more`),
  );
}
