import { provisionAgain } from "../../machine/maintain.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { workOnMachines } from "../machines.ts";

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  await workOnMachines(context, args, async (ports, name) => await provisionAgain(ports, name, context.signal));
}
