import { isMachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { expandNames } from "../../machine/names.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { removeMachine } from "../../machine/remove.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { workOnNamed } from "../named-machines.ts";
import { openContext } from "../open-context.ts";
import { nobodyAnswered, selectedNames } from "../selection/select-machines.ts";
import { isSelected } from "../selection/selection-flags.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { options, args } = invocation;
  const names = isSelected(options) ? await selectedNames(openContext(context), invocation, context) : expandNames(args);
  const force = options.bool("force");
  context.print(`About to remove ${names.join(", ")}`);
  context.print("WARNING: This action will delete both local reference and remote instance.");
  if (!force && !options.bool("y")) {
    const answer = await context.confirm("Are you sure?", isSelected(options) ? "\n" : "");
    // Without an answer 0.16.2 ends well; it knew no selections.
    if (answer === undefined && isSelected(options)) throw nobodyAnswered("remove");
    if (answer !== true) return;
  }
  const remove = async (machineContext: MachineContext, name: string): Promise<string> => {
    try {
      await removeMachine(machineContext, { name, force, restore: options.bool("restore") }, context.signal);
      return `Successfully removed ${name}`;
    } catch (error) {
      if (!force || context.signal.aborted || isKept(error)) throw error;
      logTo(context.report, "error", messageOf(error));
      logTo(context.report, "error", `Can't remove "${name}"`);
      return "";
    }
  };
  await workOnNamed(context, names, remove, (line) => line);
}

/** What force does not override. */
function isKept(error: unknown): boolean {
  return isMachineError(error, "host-key-mismatch") || isMachineError(error, "machine-protected");
}
