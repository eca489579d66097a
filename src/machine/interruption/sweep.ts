/** What killed commands left in the store goes with the next command that makes or removes a machine. */
import { messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import type { MachineContext } from "../machine-context.ts";

/** Never fails: clean-up is no reason for a command not to do its work. */
export async function sweepStore(context: MachineContext): Promise<void> {
  try {
    await context.store.sweep();
  } catch (error) {
    logTo(context.reportFor(undefined), "debug", `What killed commands left could not be removed: ${messageOf(error)}`);
  }
}
