/**
 * The first answer of several who can all give it: the next one is asked as well once the one before has said that it cannot,
 * or nothing for a while. Nobody is given up for being slow: on a long way all of them are.
 */
import type { Clock } from "../system/clock.ts";
import { settledReason } from "../system/waiting.ts";

export interface FirstAnswer<A, T> {
  readonly ask: (one: A, signal: AbortSignal) => Promise<T>;
  /** How long one is waited for before the next is asked as well, in milliseconds; twice as long with each round. */
  readonly pauseMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Whether another may know better; any other error is an answer. */
  readonly passes: (error: unknown) => boolean;
}

/**
 * Each is asked once, and those again who were asked first while somebody is silent: what was passed on to one who is gone
 * is never answered. Throws the signal's reason, what is an answer, or an `AggregateError` of what each of them said last.
 */
export async function firstAnswer<A, T>(
  all: readonly A[],
  { ask, pauseMs, clock, signal, passes }: FirstAnswer<A, T>,
): Promise<{ readonly by: A; readonly answer: T }> {
  signal.throwIfAborted();
  const settled = new AbortController();
  const ended = AbortSignal.any([signal, settled.signal]);
  const { promise, resolve, reject } = Promise.withResolvers<{ by: A; answer: T }>();
  const failures = new Map<A, unknown>();
  let [asked, silent] = [0, 0];
  const askNext = (): void => {
    const one = all[asked % all.length] as A;
    const waitMs = pauseMs * 2 ** Math.floor(asked / all.length);
    let isFollowed = false;
    const follow = (): void => {
      if (!isFollowed) askNext();
      isFollowed = true;
    };
    asked += 1;
    silent += 1;
    clock.sleep(waitMs, ended).then(follow, () => {});
    ask(one, ended).then(
      (answer) => resolve({ by: one, answer }),
      (error: unknown) => {
        if (!passes(error)) return reject(error);
        failures.set(one, error);
        silent -= 1;
        if (silent === 0 && failures.size === all.length) reject(new AggregateError(failures.values(), "Nobody answered"));
        else follow();
      },
    );
  };
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  askNext();
  try {
    return await promise;
  } finally {
    signal.removeEventListener("abort", onAbort);
    settled.abort(settledReason);
  }
}
