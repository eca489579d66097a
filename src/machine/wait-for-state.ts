/** Waiting for an instance to reach a state at its provider. */
import type { MachineState } from "../driver-kit/state.ts";
import { MachineError, messageOf } from "../errors/machine-error.ts";
import type { Host } from "./host.ts";
import type { MachinePorts } from "./ports.ts";

const pollMs = 500;

/** Throws `timeout` naming the last state or complaint of the driver. */
export async function waitForState(ports: MachinePorts, host: Host, wanted: MachineState, timeoutMs: number, signal: AbortSignal): Promise<void> {
  const deadline = ports.clock.monotonicMs() + timeoutMs;
  for (;;) {
    const seen = await readState(host, signal);
    if (seen === wanted) return;
    signal.throwIfAborted();
    if (ports.clock.monotonicMs() >= deadline) {
      throw new MachineError("timeout", `"${host.name}" did not become ${wanted} within ${timeoutMs / 1000} s; it is ${seen || "unknown"}`);
    }
    await ports.clock.sleep(pollMs, signal);
  }
}

async function readState(host: Host, signal: AbortSignal): Promise<string> {
  try {
    return await host.driver.getState(signal);
  } catch (error) {
    return messageOf(error);
  }
}
