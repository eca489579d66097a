/**
 * How many lines of a plugin are shown: as many as it likes for a while, then a steady rate. A create that says
 * something all the time is shown whole; a flood is told of once and left out.
 */
import type { Clock } from "../system/clock.ts";

/** Lines that may come at once. Long ones count as several. */
const burst = 30_000;
const linesPerSecond = 1_000;
const charactersOfALine = 16_384;

export class LinePace {
  readonly #clock: Pick<Clock, "monotonicMs">;
  #allowance = burst;
  #lastMs: number;
  #dropping = false;

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
    this.#lastMs = clock.monotonicMs();
  }

  /** Whether a line is shown; `first-dropped` where others were shown just before, or long ago. */
  take(line: string): "shown" | "dropped" | "first-dropped" {
    const nowMs = this.#clock.monotonicMs();
    this.#allowance = Math.min(burst, this.#allowance + ((nowMs - this.#lastMs) * linesPerSecond) / 1000);
    this.#lastMs = nowMs;
    // Once it was too much, a second's worth must be saved up: one line of a flood says nothing.
    const needed = this.#dropping ? linesPerSecond : 1;
    if (this.#allowance >= needed) {
      this.#dropping = false;
      this.#allowance -= 1 + line.length / charactersOfALine;
      return "shown";
    }
    const first = !this.#dropping;
    this.#dropping = true;
    return first ? "first-dropped" : "dropped";
  }
}
