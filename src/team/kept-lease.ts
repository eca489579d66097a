/** A lease that is renewed for as long as its holder lives, and says when it can have ended. */
import { MachineError } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { within } from "../system/waiting.ts";
import type { Lease } from "./ledger.ts";

export interface LeaseTerms {
  readonly id: string;
  readonly ttlMs: number;
  readonly clock: Clock;
  /** By the clock, when it was asked for: no later than the database began to count. */
  readonly askedMs: number;
  /** Whether it lives. What it throws says nothing of that. */
  readonly renew: (signal: AbortSignal) => Promise<boolean>;
  readonly revoke: () => Promise<void>;
}

export class KeptLease implements Lease {
  readonly id: string;
  readonly #terms: LeaseTerms;
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  /** No later than this long after the last renewal that was sent does the database end it. */
  #sentMs: number;

  constructor(terms: LeaseTerms) {
    this.id = terms.id;
    this.#terms = terms;
    this.#sentMs = terms.askedMs;
    void this.#keep();
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  async release(): Promise<void> {
    if (this.#released.signal.aborted) return;
    this.#released.abort(new Error("released"));
    await this.#terms.revoke().catch(() => {});
  }

  get #leftMs(): number {
    return this.#terms.ttlMs - (this.#terms.clock.monotonicMs() - this.#sentMs);
  }

  async #keep(): Promise<void> {
    const { clock, ttlMs } = this.#terms;
    const ended = this.#released.signal;
    for (let pauseMs = ttlMs / 3; ;) {
      await clock.sleep(Math.max(Math.min(pauseMs, this.#leftMs), 0), ended).catch(() => {});
      if (ended.aborted) return;
      const lives = this.#leftMs > 0 && (await this.#renewed(ended));
      if (ended.aborted) return;
      if (lives === false) {
        this.#lost.abort(lockLost());
        return;
      }
      // Who had no answer asks again soon.
      pauseMs = lives === true ? ttlMs / 3 : ttlMs / 15;
    }
  }

  /** Undefined where there was no answer. */
  async #renewed(ended: AbortSignal): Promise<boolean | undefined> {
    const { clock, renew } = this.#terms;
    const sentMs = clock.monotonicMs();
    try {
      const lives = await within({ ms: this.#leftMs, clock, signal: ended }, renew, "The lease was not renewed");
      if (lives) this.#sentMs = sentMs;
      return lives;
    } catch {
      return undefined;
    }
  }
}

export function lockLost(): MachineError {
  return new MachineError("lock-lost", "The machine's lock was lost: the team's store was not reached in time", {
    hint: "Somebody else may be at work on it now. Look with docker-machine ls, and run the command again.",
  });
}
