/** How long each step with a plugin may take. Nothing waits without a bound or a signal. */
import { isMachineError } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { unlessAborted, within } from "../system/waiting.ts";
import { heartbeatIntervalMs } from "./protocol.ts";

export interface PluginBounds {
  /** From the start of the program to its address on standard output. */
  readonly launchMs: number;
  /** For the TCP connection and the answer to the first call. */
  readonly handshakeMs: number;
  /** For calls that only ask: addresses, state, configuration, flags. `Create` and its like have none but the heartbeat. */
  readonly questionMs: number;
  /** Pause between a heartbeat's answer and the next heartbeat. */
  readonly heartbeatIntervalMs: number;
  /** A plugin that does not answer a heartbeat for so long hangs. */
  readonly heartbeatAnswerMs: number;
  /** For the answer to `Close`, and after that for the end of the program, before it is killed. */
  readonly closeMs: number;
}

export const defaultBounds: PluginBounds = {
  launchMs: 10_000,
  handshakeMs: 10_000,
  questionMs: 60_000,
  heartbeatIntervalMs,
  heartbeatAnswerMs: 30_000,
  closeMs: 2_000,
};

/** For a free place among the plugins that run at one time. */
export const placePatienceMs = 10_000;

/** Whether a bound ended the work, and not the signal it was given, which may be a bound too. */
export function isOverdue(error: unknown, signal: AbortSignal | undefined): boolean {
  return isMachineError(error, "timeout") && signal?.aborted !== true;
}

/**
 * Waits for an answer that cannot be called off: at the bound, a `timeout`, and at the signal it is left behind at once.
 * The error is for whoever makes a better one of it.
 */
export async function answerWithin<T>(answer: Promise<T>, ms: number, clock: Clock, signal?: AbortSignal): Promise<T> {
  // It may fail when nobody listens yet, or any more.
  answer.catch(() => {});
  return await within({ ms, clock, signal }, async (bound) => await unlessAborted(answer, bound), "There was no answer");
}
