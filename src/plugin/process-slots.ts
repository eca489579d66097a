/** Keeps the number of plugin processes within bounds when many machines are looked at in one command. */
import type { Clock } from "../system/clock.ts";
import { answerWithin } from "./plugin-bounds.ts";

export class ProcessSlots {
  readonly #limit: number;
  readonly #patienceMs: number;
  readonly #waiting = new Set<() => void>();
  #taken = 0;

  /**
   * @param patienceMs how long to queue. Whoever waited so long goes ahead: slots held by long calls, such as `Create`,
   * must not stop the others, and two drivers that wait for each other must not wait for good.
   */
  constructor(limit: number, patienceMs: number) {
    this.#limit = limit;
    this.#patienceMs = patienceMs;
  }

  /** Takes a slot, in turn. The function that is returned gives it back and may be called more than once. */
  async take(clock: Clock, signal?: AbortSignal): Promise<() => void> {
    if (this.#taken < this.#limit) this.#taken++;
    else await this.#queue(clock, signal);
    let given = false;
    return () => {
      if (!given) this.#giveBack();
      given = true;
    };
  }

  /** A slot goes straight to the next in turn, unless more are taken than there are. */
  #giveBack(): void {
    const [next] = this.#taken <= this.#limit ? this.#waiting : [];
    if (next === undefined) this.#taken--;
    else next();
  }

  async #queue(clock: Clock, signal: AbortSignal | undefined): Promise<void> {
    const turn = Promise.withResolvers<void>();
    let handedOver = false;
    const next = (): void => {
      this.#waiting.delete(next);
      handedOver = true;
      turn.resolve();
    };
    this.#waiting.add(next);
    await answerWithin(turn.promise, this.#patienceMs, clock, signal).catch(() => {});
    this.#waiting.delete(next);
    if (!handedOver) this.#taken++;
    if (signal?.aborted !== true) return;
    this.#giveBack();
    throw signal.reason;
  }
}
