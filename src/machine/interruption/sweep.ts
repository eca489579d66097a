/** What killed commands left, in the store and in the folder for temporary files, goes with the next command that makes or removes a machine. */
import { messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { sweepPrivateFolders } from "../../ssh/private-folder.ts";
import type { MachineContext } from "../machine-context.ts";

/** Never fails: clean-up is no reason for a command not to do its work. */
export async function sweepStore(context: MachineContext): Promise<void> {
  await sweepPrivateFolders(context.computer, context.clock.now());
  try {
    await context.store.sweep();
  } catch (error) {
    logTo(context.reportFor(undefined), "debug", `What killed commands left could not be removed: ${messageOf(error)}`);
  }
}
