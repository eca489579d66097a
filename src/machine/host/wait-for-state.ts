/** What state an instance is in at its provider, and waiting until it is in another. */
import type { MachineState } from "../../driver-kit/state.ts";
import { MachineError, messageOf } from "../../errors/machine-error.ts";
import { poll, within, type Attempt } from "../../system/waiting.ts";
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
  const { clock, timeouts } = context;
  const ask = async ({ remainingMs, note }: Attempt): Promise<true | undefined> => {
    const seen = await readState(context, host, signal, Math.min(timeouts.stateMs, remainingMs));
    note(seen);
    return seen === wanted ? true : undefined;
  };
  await poll({ ms: timeouts.runningMs, clock, signal }, pollMs, ask, (last) => {
    const bound = `within ${timeouts.runningMs / 1000} s`;
    return new MachineError("timeout", `"${host.name}" did not become ${wanted} ${bound}; it is ${String(last) || "unknown"}`);
  });
}

async function readState(context: MachineContext, host: Host, signal: AbortSignal, ms: number): Promise<string> {
  try {
    return await stateOf(context, host, signal, ms);
  } catch (error) {
    return messageOf(error);
  }
}
