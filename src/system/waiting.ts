/**
 * Waiting, written once: for an answer that comes by asking again (`poll`), for work within a bound (`within`), for work
 * unless a signal comes first (`unlessAborted`). Always by the clock that is given, so that tests own the time.
 */
import { MachineError } from "../errors/machine-error.ts";
import type { Clock } from "./clock.ts";
import { formatBound } from "./time-text.ts";

/** How long is waited, by which clock, and what ends it before: the signal's reason is thrown then. */
export interface Patience {
  /** The bound in milliseconds, one with a name (docs/timeouts.md). `Infinity` where only the signal ends it. */
  readonly ms: number;
  readonly clock: Clock;
  readonly signal: AbortSignal | undefined;
}

/** Pauses between two questions, in milliseconds: always the same, or doubled from `firstMs` up to `mostMs`. */
export type Pace =
  | number
  | {
      readonly firstMs: number;
      readonly mostMs: number;
      /** The share of each pause that is left to chance, 0 (the default) to 1, so that many who wait do not ask at once. */
      readonly jitter?: number | undefined;
    };

/**
 * The error when the time is up: what makes it, given what was last noted, or the beginning of its sentence, `The driver
 * of "web" did not remove its instance`, to which the bound is added: a `timeout` then.
 */
export type Late = string | ((last: unknown) => unknown);

/** One question of a {@link poll}. */
export interface Attempt {
  /** What is left of the time; 0 for the last question. `Infinity` where there is no bound. */
  readonly remainingMs: number;
  /** What was noted last; undefined before that. */
  readonly last: unknown;
  /** Keeps why there is no answer yet, for the error when the time is up; the last one noted counts. */
  note(seen: unknown): void;
}

/**
 * Asks until the answer is not undefined, and gives that. It is asked at once, then after each pause, and once more when
 * the time is up, so a bound of 0 asks once. What `ask` throws ends the waiting: a failure that may pass is an undefined
 * answer, and worth a note. Throws what `late` says, or the signal's reason; without `late` it gives undefined.
 */
export async function poll<T>(
  patience: Patience,
  pace: Pace,
  ask: (attempt: Attempt) => Promise<T | undefined>,
  late: Late,
): Promise<T>;
export async function poll<T>(
  patience: Patience,
  pace: Pace,
  ask: (attempt: Attempt) => Promise<T | undefined>,
): Promise<T | undefined>;
export async function poll<T>(
  patience: Patience,
  pace: Pace,
  ask: (attempt: Attempt) => Promise<T | undefined>,
  late?: Late,
): Promise<T | undefined> {
  const { ms, clock, signal } = patience;
  const deadlineMs = clock.monotonicMs() + ms;
  const remaining = (): number => Math.max(deadlineMs - clock.monotonicMs(), 0);
  let last: unknown;
  const note = (seen: unknown): void => void (last = seen);
  for (const pauseMs of pauses(pace)) {
    signal?.throwIfAborted();
    const answer = await ask({ remainingMs: remaining(), last, note });
    if (answer !== undefined) return answer;
    signal?.throwIfAborted();
    const remainingMs = remaining();
    if (remainingMs === 0) break;
    await clock.sleep(Math.min(pauseMs, remainingMs), signal);
  }
  if (late !== undefined) throw lateError(late, ms, last);
  return undefined;
}

function* pauses(pace: Pace): Generator<number> {
  const { firstMs, mostMs, jitter = 0 } = typeof pace === "number" ? { firstMs: pace, mostMs: pace } : pace;
  for (let pauseMs = firstMs; ; pauseMs = Math.min(pauseMs * 2, mostMs)) yield pauseMs * (1 - jitter * Math.random());
}

/** How long work may take to end once its signal told it so. */
export const graceMs = 5_000;

/** Ends what is of no more use; made once, because errors are dear. */
export const settledReason = new Error("settled");

/**
 * Gives what the work gives. Work is ended through its signal when the time is up or the patience's signal is aborted,
 * and left behind where it does not heed that for {@link graceMs}; whatever it says then, what is thrown is why it was
 * ended: what `late` says, or the signal's reason. Work that cannot be ended is wrapped in {@link unlessAborted}, and is
 * then left behind at once.
 */
export async function within<T>(patience: Patience, work: (signal: AbortSignal) => Promise<T>, late: Late): Promise<T> {
  const { ms, clock, signal } = patience;
  signal?.throwIfAborted();
  const stop = new AbortController();
  const settled = new AbortController();
  const forward = (): void => stop.abort(signal?.reason);
  signal?.addEventListener("abort", forward, { once: true });
  const expired = Number.isFinite(ms)
    ? clock.sleep(ms, settled.signal).then(
        () => stop.abort(lateError(late, ms, undefined)),
        () => {},
      )
    : undefined;
  try {
    return await Promise.race([work(stop.signal), endOf(stop.signal, clock, settled.signal)]);
  } catch (error) {
    // Work that was told to end may say so in words of its own; what counts is why.
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    signal?.removeEventListener("abort", forward);
    settled.abort(settledReason);
    await expired;
  }
}

/** Rejects some time after the signal. */
async function endOf(signal: AbortSignal, clock: Clock, settled: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  await clock.sleep(graceMs, settled).catch(() => {});
  throw signal.reason;
}

/** Gives what the work gives, or throws the signal's reason if that comes first. The work goes on; how it ends does not matter then. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  // Nobody may be listening any more when it fails later.
  work.catch(() => {});
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

function lateError(late: Late, ms: number, last: unknown): unknown {
  if (typeof late === "function") return late(last);
  return new MachineError("timeout", `${late} within ${formatBound(ms)}`);
}
