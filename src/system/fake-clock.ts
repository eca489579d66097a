/** A clock that tests own: it stands still until it is advanced. */
import type { Clock } from "./clock.ts";

interface Sleeper {
  readonly wakeMs: number;
  wake(): void;
}

export class FakeClock implements Clock {
  readonly #startMs: number;
  #elapsedMs = 0;
  #sleepers: Sleeper[] = [];

  constructor(start = new Date("2026-01-02T03:04:05.000Z")) {
    this.#startMs = start.getTime();
  }

  now(): Date {
    return new Date(this.#startMs + this.#elapsedMs);
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const sleeper = { wakeMs: this.#elapsedMs + ms, wake: resolve };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal.reason as Error);
      });
    });
  }

  /**
   * Lets time pass and wakes whoever is due, earliest first: also who is only on the way to a sleep that begins now. What
   * they do next has happened when it resolves.
   */
  async advance(ms: number): Promise<void> {
    await settle();
    const untilMs = this.#elapsedMs + ms;
    for (;;) {
      const next = this.#sleepers.toSorted((a, b) => a.wakeMs - b.wakeMs)[0];
      if (next === undefined || next.wakeMs > untilMs) break;
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.wakeMs);
      next.wake();
      await settle();
    }
    this.#elapsedMs = untilMs;
    await settle();
  }
}

/** Everything that was waiting for resolved promises has run. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
