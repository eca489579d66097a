/** The lock of one machine as commands take it: whoever waits says for whom, and waits within a bound; whoever has it works until it is lost. */
import { logTo } from "../../log/event.ts";
import type { MachineContext } from "../machine-context.ts";

export interface HeldMachine extends AsyncDisposable {
  /** Ends the work under the lock: the command's own signal, or that the lock was lost, with `lock-lost`. */
  readonly signal: AbortSignal;
}

/** @param command shown to those who wait: `create`. Throws `machine-busy` naming the holder, or the signal's reason. */
export async function lockMachine(
  context: MachineContext,
  name: string,
  command: string,
  signal: AbortSignal,
): Promise<HeldMachine> {
  const lock = await context.store.lockMachine(name, {
    purpose: `${command} ${name}`,
    waitMs: context.timeouts.lockMs,
    signal,
    onWait: (holder) => logTo(context.reportFor(name), "info", `Waiting for ${holder} to finish...`),
  });
  return { signal: AbortSignal.any([signal, lock.lost]), [Symbol.asyncDispose]: lock.release };
}
