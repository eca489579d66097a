/** What killed commands left in the store goes with the next command that makes or removes a machine. */
import { messageOf } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import type { MachinePorts } from "./ports.ts";

/** Never fails: clean-up is no reason for a command not to do its work. */
export async function sweepStore(ports: MachinePorts): Promise<void> {
  try {
    await ports.store.sweep();
  } catch (error) {
    logTo(ports.reportFor(undefined), "debug", `What killed commands left could not be removed: ${messageOf(error)}`);
  }
}
