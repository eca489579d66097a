import { changeState } from "../../machine/lifecycle.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { sayAddressesMayChange, workOnMachines } from "../machines.ts";

export async function run({ args }: Invocation, context: CliContext): Promise<void> {
  await workOnMachines(context, args, async (ports, name) => await changeState(ports, name, "restart", context.signal));
  sayAddressesMayChange(context);
}
