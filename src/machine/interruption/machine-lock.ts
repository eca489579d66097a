/** The lock of one machine as commands take it: whoever waits says for whom, and waits within a bound. */
import { logTo } from "../../log/event.ts";
import type { FileLock } from "../../system/file-lock.ts";
import type { MachineContext } from "../machine-context.ts";

/** @param command shown to those who wait: `create`. Throws `machine-busy` naming the holder, or the signal's reason. */
export async function lockMachine(
  context: MachineContext,
  name: string,
  command: string,
  signal: AbortSignal,
): Promise<FileLock> {
  return await context.store.lockMachine(name, {
    purpose: `${command} ${name}`,
    waitMs: context.timeouts.lockMs,
    signal,
    onWait: (holder) => logTo(context.reportFor(name), "info", `Waiting for ${holder} to finish...`),
  });
}
