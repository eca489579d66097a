/** How long each step with a plugin may take. Nothing waits without a bound or a signal. */
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
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

/** A bound as it is written in a message: `10 s`, `500 ms`. */
export function formatBound(ms: number): string {
  return ms >= 1000 ? `${ms / 1000} s` : `${ms} ms`;
}

/** Whether {@link within} ended because its time was up, and not by the signal it was given, which may be a bound too. */
export function isOverdue(error: unknown, signal: AbortSignal | undefined): boolean {
  return isMachineError(error, "timeout") && signal?.aborted !== true;
}

/** Ends a timer that is of no more use; made once, because errors are dear. */
const settled = new Error("settled");

/** Waits for work; rejects with `timeout` after `ms`, or with the signal's reason. The work itself is not stopped. */
export async function within<T>(work: Promise<T>, ms: number, clock: Clock, what: string, signal?: AbortSignal): Promise<T> {
  const finished = new AbortController();
  const stop = signal === undefined ? finished.signal : AbortSignal.any([signal, finished.signal]);
  const tooLate = clock.sleep(ms, stop).then((): never => {
    throw new MachineError("timeout", `${what} within ${formatBound(ms)}`);
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    tooLate.catch(() => {});
    finished.abort(settled);
  }
}
