/** What state an instance is in at its provider, and waiting until it is in another. */
import type { MachineState } from "../../driver-kit/state.ts";
import { MachineError, messageOf } from "../../errors/machine-error.ts";
import { within } from "../../system/waiting.ts";
import type { Host } from "./host.ts";
import type { MachineContext } from "../machine-context.ts";

const pollMs = 500;

/** Asks the driver, within a bound. Throws what it throws, and `timeout`. */
export async function stateOf(
  context: MachineContext,
  host: Host,
  signal: AbortSignal,
  ms: number = context.timeouts.stateMs,
): Promise<MachineState> {
  const otherwise = `The driver of "${host.name}" did not tell its state`;
  return await within({ ms, clock: context.clock, signal }, async (bound) => await host.driver.getState(bound), otherwise);
}

/** Throws `timeout` naming the last state or complaint of the driver. */
export async function waitForState(
  context: MachineContext,
  host: Host,
  wanted: MachineState,
  signal: AbortSignal,
): Promise<void> {
  const timeoutMs = context.timeouts.runningMs;
  const deadline = context.clock.monotonicMs() + timeoutMs;
  for (;;) {
    const remainingMs = deadline - context.clock.monotonicMs();
    const seen = await readState(context, host, signal, Math.min(context.timeouts.stateMs, Math.max(remainingMs, 0)));
    if (seen === wanted) return;
    signal.throwIfAborted();
    if (context.clock.monotonicMs() >= deadline) {
      throw new MachineError(
        "timeout",
        `"${host.name}" did not become ${wanted} within ${timeoutMs / 1000} s; it is ${seen || "unknown"}`,
      );
    }
    await context.clock.sleep(pollMs, signal);
  }
}

async function readState(context: MachineContext, host: Host, signal: AbortSignal, ms: number): Promise<string> {
  try {
    return await stateOf(context, host, signal, ms);
  } catch (error) {
    return messageOf(error);
  }
}
