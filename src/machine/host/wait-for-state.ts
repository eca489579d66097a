/** What state an instance is in at its provider, and waiting until it is in another. */
import type { MachineState } from "../../driver-kit/state.ts";
import { MachineError, messageOf } from "../../errors/machine-error.ts";
import { poll, within, type Attempt, type Pace } from "../../system/waiting.ts";
import type { Host } from "./host.ts";
import type { MachineContext } from "../machine-context.ts";

const standardPace: Pace = 500;

/** How often the provider of a machine may be asked. */
export function paceOf({ module }: Host): Pace {
  return module.pace ?? standardPace;
}

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

/** What a provider calls an error more often than this is one. */
const patienceWithErrors = 3;

/**
 * Throws `timeout` naming the last state or complaint of the driver, and `machine-state` where the provider says again and
 * again that the instance failed.
 */
export async function waitForState(
  context: MachineContext,
  host: Host,
  wanted: MachineState,
  signal: AbortSignal,
): Promise<void> {
  const { runningMs, stateMs } = context.timeouts;
  let errors = 0;
  const ask = async ({ remainingMs, note }: Attempt): Promise<true | undefined> => {
    const seen = await readState(context, host, signal, Math.min(stateMs, remainingMs));
    if (seen === wanted) return true;
    note(seen);
    errors = seen === "Error" ? errors + 1 : 0;
    if (errors === patienceWithErrors) throw failed(host.name);
    return undefined;
  };
  const late = (last: unknown): MachineError =>
    new MachineError(
      "timeout",
      `"${host.name}" did not become ${wanted} within ${runningMs / 1000} s; it is ${typeof last === "string" && last !== "" ? last : "unknown"}`,
    );
  await poll({ ms: runningMs, clock: context.clock, signal }, paceOf(host), ask, late);
}

function failed(name: string): MachineError {
  return new MachineError("machine-state", `The instance of "${name}" is in the state Error at its provider`, {
    hint: `See there why; then remove it with: docker-machine rm ${name}`,
  });
}

async function readState(context: MachineContext, host: Host, signal: AbortSignal, ms: number): Promise<string> {
  try {
    return await stateOf(context, host, signal, ms);
  } catch (error) {
    signal.throwIfAborted();
    return messageOf(error);
  }
}
