/** A clock on which every pause is over at once and has taken its time: for tests of what waits long between requests. */
import type { Clock } from "../../src/system/clock.ts";

export class HastyClock implements Clock {
  readonly #startMs: number;
  #elapsedMs = 0;

  constructor(start = new Date()) {
    this.#startMs = start.getTime();
  }

  now(): Date {
    return new Date(this.#startMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
    this.#elapsedMs += ms;
  }
}
