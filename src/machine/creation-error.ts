/** What a failed `create` says: 0.16.2's words for the phase first, because tools look for them, then what was wrong. */
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";

const phases = {
  instance: "Error in driver during machine creation",
  running: "Error waiting for machine to be running",
  ssh: "Error detecting OS",
  provision: "Error running provisioning",
} as const;

/** A create that failed: it may have left no machine, and says itself how one that it left is gone on with. */
export class CreationError extends MachineError {}

/** Does a phase of `create`; a failure keeps its code and its way out. Throws the signal's reason as it is. */
export async function inPhase<T>(phase: keyof typeof phases, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    // What nobody foresaw is shown as the fault of ours that it is.
    if (!isMachineError(error)) throw error;
    const message = `Error creating machine: ${phases[phase]}: ${messageOf(error)}`;
    throw new CreationError(error.code, message, { cause: error, hint: error.hint });
  }
}
