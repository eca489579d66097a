/**
 * A question to a team's database, asked again while nobody answers: each may be asked twice. Who has had an answer before
 * is in the middle of something, and is patient; who has not gives up soon, because nothing is lost by it.
 */
import { messageOf } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { isHttpFailure } from "../system/http-failure.ts";
import { formatBound } from "../system/time-text.ts";
import { within } from "../system/waiting.ts";
import type { LedgerBounds } from "./bounds.ts";
import { storeUnreachable } from "./ledger-errors.ts";

/** What an error says of the other side. */
export type Absence =
  /** Nobody is there: nothing was sent, and there will be no other answer soon. */
  | "nobody"
  /** No answer, or one that another time can be another. */
  | "passing";

export interface Question<T> {
  /** A page is of something larger that is read. */
  readonly kind: "read" | "page" | "write";
  /** Its own bound, where that is neither. */
  readonly ms?: number | undefined;
  readonly signal: AbortSignal;
  /** @param ms the time that there is for all attempts */
  readonly ask: (signal: AbortSignal, ms: number) => Promise<T>;
  /** Undefined for what is an answer. */
  readonly absence: (error: unknown) => Absence | undefined;
  /** What to do about one that was never answered. */
  readonly wayOut?: ((error: unknown) => string | undefined) | undefined;
}

const pauseMs = 100;
const nothingBegun = "Nothing was changed. Once it answers, run the command again.";
const midway =
  "It was there a moment ago. Once it answers, docker-machine ls tells how far this came; run the command again then.";

export class Asking {
  readonly #clock: Clock;
  readonly #bounds: LedgerBounds;
  /** Whom, as a person reads it. */
  readonly #at: string;
  #isKnown = false;

  constructor(at: string, clock: Clock, bounds: LedgerBounds) {
    this.#at = at;
    this.#clock = clock;
    this.#bounds = bounds;
  }

  /** Throws `store-unreachable`, what is an answer, or the signal's reason. */
  async answer<T>({ kind, signal, ask, absence, wayOut, ms = this.#boundOf(kind) }: Question<T>): Promise<T> {
    const clock = this.#clock;
    const startedMs = clock.monotonicMs();
    let last = `no answer within ${formatBound(ms)}`;
    let hint: string | undefined;
    const unreachable = (): Error => storeUnreachable(this.#at, last, this.#isKnown ? midway : (hint ?? nothingBegun));
    const work = async (ended: AbortSignal): Promise<T> => {
      for (;;) {
        try {
          const answer = await ask(ended, ms);
          this.#isKnown = true;
          return answer;
        } catch (error) {
          ended.throwIfAborted();
          const found = absence(error);
          if (found === undefined) {
            this.#isKnown = true;
            throw error;
          }
          last = reasonOf(error);
          hint = wayOut?.(error);
          const goneMs = kind === "write" ? this.#bounds.nobodyMs : 0;
          if (found === "nobody" && !this.#isKnown && clock.monotonicMs() - startedMs >= goneMs) throw unreachable();
          await clock.sleep(pauseMs, ended);
        }
      }
    };
    return await within({ ms, clock, signal }, work, unreachable);
  }

  #boundOf(kind: Question<unknown>["kind"]): number {
    const { readMs, pageMs, writeMs, firstMs } = this.#bounds;
    if (kind === "write") return this.#isKnown ? writeMs : firstMs;
    return kind === "page" && this.#isKnown ? pageMs : readMs;
  }
}

/** Without the address, which the sentence has. */
function reasonOf(error: unknown): string {
  if (!isHttpFailure(error)) return messageOf(error);
  return error.cause === undefined ? `it ${error.detail}` : messageOf(error.cause);
}
