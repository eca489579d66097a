import { messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { expandNames } from "../../machine/names.ts";
import { removeMachine } from "../../machine/remove.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { workOnMachines } from "../machines.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<void> {
  const names = expandNames(args);
  const force = options.bool("force");
  context.print(`About to remove ${names.join(", ")}`);
  context.print("WARNING: This action will delete both local reference and remote instance.");
  if (!force && !options.bool("y") && !(await context.confirm("Are you sure?"))) return;
  await workOnMachines(context, names, async (ports, name) => {
    const report = ports.reportFor(name);
    try {
      await removeMachine(ports, { name, force, restore: options.bool("restore") }, context.signal);
      logTo(report, "info", `Successfully removed ${name}`);
    } catch (error) {
      if (!force || context.signal.aborted) throw error;
      logTo(report, "error", messageOf(error));
      logTo(report, "error", `Can't remove "${name}"`);
    }
  });
}
