/** Waiting that ends: on a signal, or when its time is up. Every wait of this folder goes through one of these. */
import { isMachineError } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";

/** A connection over which so many questions go unanswered, one after the other, is dead. */
export const keepalive = { intervalMs: 15_000, unanswered: 4 } as const;

/** Ends a timer that is of no more use; made once, because errors are dear. */
const settledReason = new Error("settled");

/** Aborts as the first of the given signals does, or after `ms` with the error that `late` makes. Release it when done. */
export class Bound implements Disposable {
  readonly signal: AbortSignal;
  readonly #settled = new AbortController();

  constructor(clock: Clock, ms: number | undefined, late: () => unknown, ...signals: readonly (AbortSignal | undefined)[]) {
    const expiry = new AbortController();
    if (ms !== undefined)
      clock.sleep(ms, this.#settled.signal).then(
        () => expiry.abort(late()),
        () => {},
      );
    this.signal = AbortSignal.any([expiry.signal, ...signals.filter((signal) => signal !== undefined)]);
  }

  [Symbol.dispose](): void {
    this.#settled.abort(settledReason);
  }
}

/**
 * True where our own bound on connecting ended the work, and not somebody's wish. Its reason is the error for a host
 * that never answered; who knows how far the connection had come makes a better one of it.
 */
export function isOwnBound(signal: AbortSignal): boolean {
  return signal.aborted && isMachineError(signal.reason, "ssh-unreachable");
}
