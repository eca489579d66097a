/** What state an instance is in at its provider, and waiting until it is in another. */
import type { MachineState } from "../driver-kit/state.ts";
import { MachineError, messageOf } from "../errors/machine-error.ts";
import { within } from "./bounded.ts";
import type { Host } from "./host.ts";
import type { MachinePorts } from "./ports.ts";

const pollMs = 500;

/** Asks the driver, within a bound. Throws what it throws, and `timeout`. */
export async function stateOf(
  ports: MachinePorts,
  host: Host,
  signal: AbortSignal,
  ms: number = ports.timeouts.stateMs,
): Promise<MachineState> {
  const otherwise = `The driver of "${host.name}" did not tell its state`;
  return await within({ ms, otherwise, clock: ports.clock, signal }, async (bound) => await host.driver.getState(bound));
}

/** Throws `timeout` naming the last state or complaint of the driver. */
export async function waitForState(ports: MachinePorts, host: Host, wanted: MachineState, signal: AbortSignal): Promise<void> {
  const timeoutMs = ports.timeouts.runningMs;
  const deadline = ports.clock.monotonicMs() + timeoutMs;
  for (;;) {
    const remainingMs = deadline - ports.clock.monotonicMs();
    const seen = await readState(ports, host, signal, Math.min(ports.timeouts.stateMs, Math.max(remainingMs, 0)));
    if (seen === wanted) return;
    signal.throwIfAborted();
    if (ports.clock.monotonicMs() >= deadline) {
      throw new MachineError(
        "timeout",
        `"${host.name}" did not become ${wanted} within ${timeoutMs / 1000} s; it is ${seen || "unknown"}`,
      );
    }
    await ports.clock.sleep(pollMs, signal);
  }
}

async function readState(ports: MachinePorts, host: Host, signal: AbortSignal, ms: number): Promise<string> {
  try {
    return await stateOf(ports, host, signal, ms);
  } catch (error) {
    return messageOf(error);
  }
}
