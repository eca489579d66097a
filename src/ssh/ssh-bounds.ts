/** Waiting that ends: on a signal, or when its time is up. Every wait of this folder goes through one of these. */
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { settledReason } from "../system/waiting.ts";

/** A connection over which so many questions go unanswered, one after the other, is dead. */
export const keepalive = { intervalMs: 15_000, unanswered: 4 } as const;

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

/** What a command may print before it is called endless: far more than any installation says. */
export const mostOutputBytes: number = 16 * 1024 * 1024;

/** Counts what a command prints, both streams; its signal is aborted when that is too much to be kept. */
export class OutputMeter {
  readonly #overflow = new AbortController();
  readonly #where: string;
  #bytes = 0;

  constructor(where: string) {
    this.#where = where;
  }

  get signal(): AbortSignal {
    return this.#overflow.signal;
  }

  /** False for what is not to be kept any more. */
  take(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length;
    if (this.#bytes <= mostOutputBytes) return true;
    this.#overflow.abort(
      new MachineError(
        "remote-command",
        `A command on ${this.#where} printed more than ${mostOutputBytes / 1024 / 1024} MiB and was ended`,
        {
          hint: "Look at what prints so much there: a start-up file of the login shell, or a program in the place of a system's own.",
        },
      ),
    );
    return false;
  }
}
