/** `wait NAME… --for GOAL`. */
import { waitForMachine, type WaitGoal } from "../../machine/wait.ts";
import { readTimeText } from "../../system/time-text.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { workOnMachines } from "../named-machines.ts";
import { UsageError } from "../usage-error.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { options } = invocation;
  const goal = options.string("for") as WaitGoal;
  const ms = readTimeText(options.string("within"));
  if (ms === undefined)
    throw new UsageError(`--within ${options.string("within")} is no time`, { hint: "Give it as 90s or 10m." });
  await workOnMachines(
    context,
    invocation,
    async (machineContext, name) => await waitForMachine(machineContext, name, goal, ms, context.signal),
  );
}
