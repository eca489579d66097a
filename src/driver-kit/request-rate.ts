/**
 * Staying below a provider's rate: requests of one kind take turns when many come at once, so that none is refused. What a
 * provider counts is a bucket of tokens that is refilled by the second.
 */
import type { Clock } from "../system/clock.ts";

export interface Rate {
  /** So many at once. */
  readonly burst: number;
  readonly perSecond: number;
}

/** One bucket, for all machines of this process. Turns are given in the order they were asked for. */
export class RequestRate {
  readonly #rate: Rate;
  readonly #clock: Clock;
  #tokens: number;
  #sinceMs: number;
  #last: Promise<void> = Promise.resolve();

  constructor(rate: Rate, clock: Clock) {
    this.#rate = rate;
    this.#clock = clock;
    this.#tokens = rate.burst;
    this.#sinceMs = clock.monotonicMs();
  }

  /** Returns when the request may be sent. Throws the signal's reason; who comes later is not held up by that. */
  async turn(signal: AbortSignal): Promise<void> {
    const mine = this.#last.then(async () => await this.#take(signal));
    this.#last = mine.catch(() => {});
    await mine;
  }

  async #take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#refill();
    if (this.#tokens < 1) await this.#clock.sleep(((1 - this.#tokens) / this.#rate.perSecond) * 1_000, signal);
    this.#refill();
    this.#tokens -= 1;
  }

  #refill(): void {
    const nowMs = this.#clock.monotonicMs();
    const more = ((nowMs - this.#sinceMs) / 1_000) * this.#rate.perSecond;
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + more);
    this.#sinceMs = nowMs;
  }
}
