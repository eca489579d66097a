/** The lock of one machine as commands take it: whoever waits says for whom, and waits within a bound. */
import { logTo } from "../log/event.ts";
import type { FileLock } from "../system/file-lock.ts";
import type { MachinePorts } from "./ports.ts";

/** @param command shown to those who wait: `create`. Throws `machine-busy` naming the holder, or the signal's reason. */
export async function lockMachine(ports: MachinePorts, name: string, command: string, signal: AbortSignal): Promise<FileLock> {
  return await ports.store.lockMachine(name, {
    purpose: `${command} ${name}`,
    waitMs: ports.timeouts.lockMs,
    signal,
    onWait: (holder) => logTo(ports.reportFor(name), "info", `Waiting for ${holder} to finish...`),
  });
}
