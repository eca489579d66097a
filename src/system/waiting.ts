/** Work of a driver within a bound: ended through its signal, and left behind where it does not heed that. */
import { MachineError } from "../errors/machine-error.ts";
import type { Clock } from "./clock.ts";

export interface Bound {
  readonly ms: number;
  /** What did not happen, the beginning of a sentence: `The driver of "web" did not remove its instance`. */
  readonly otherwise: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** How long work may take to end once its signal told it so. */
export const graceMs = 5_000;

/** Gives what the work gives. Throws `timeout` when the time is up, the signal's reason when that is aborted. */
export async function within<T>(bound: Bound, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { ms, otherwise, clock, signal } = bound;
  signal.throwIfAborted();
  const stop = new AbortController();
  const settled = new AbortController();
  const forward = (): void => stop.abort(signal.reason);
  signal.addEventListener("abort", forward, { once: true });
  const expired = clock.sleep(ms, settled.signal).then(
    () => stop.abort(new MachineError("timeout", `${otherwise} within ${ms / 1000} s`)),
    () => {},
  );
  try {
    return await Promise.race([work(stop.signal), endOf(stop.signal, clock, settled.signal)]);
  } catch (error) {
    // Work that was told to end may say so in words of its own; what counts is why.
    throw stop.signal.aborted ? stop.signal.reason : error;
  } finally {
    signal.removeEventListener("abort", forward);
    settled.abort();
    await expired;
  }
}

/** Rejects some time after the signal. */
async function endOf(signal: AbortSignal, clock: Clock, settled: AbortSignal): Promise<never> {
  await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  await clock.sleep(graceMs, settled).catch(() => {});
  throw signal.reason;
}
