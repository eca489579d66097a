/**
 * Questions to an SFTP server that are under way, many at a time. One watch for all of them: that each has a bound and ends
 * with the copy's signal costs nothing for each of the thousands that a large file takes.
 */
import type { Clock } from "../system/clock.ts";
import { settledReason } from "../system/waiting.ts";
import { sftpAnswerMs } from "./copy-bounds.ts";

/** As ssh2 answers: the error, or the result. */
type Answer<T> = (error: Error | undefined | null, result: T) => void;

interface Question {
  readonly path: string;
  readonly askedMs: number;
  readonly reject: (reason: unknown) => void;
}

export class SftpQuestions {
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #silence: (path: string) => unknown;
  /** The oldest first. */
  readonly #underWay = new Set<Question>();
  #watch: AbortController | undefined;
  /** A server that left one question unanswered is asked nothing more. */
  #silent: unknown;

  /** @param silence makes the error for a server that did not answer within {@link sftpAnswerMs} when asked for a path */
  constructor(clock: Clock, signal: AbortSignal | undefined, silence: (path: string) => unknown) {
    this.#clock = clock;
    this.#signal = signal;
    this.#silence = silence;
  }

  /** Throws what `explain` makes of the server's refusal, what `silence` makes, or the signal's reason. */
  async ask<T>(path: string, send: (answer: Answer<T>) => void, explain: (error: Error) => unknown): Promise<T> {
    this.#signal?.throwIfAborted();
    if (this.#silent !== undefined) throw this.#silent;
    return await new Promise<T>((resolve, reject) => {
      const question = { path, askedMs: this.#clock.monotonicMs(), reject };
      this.#begin(question);
      send((error, result) => {
        this.#end(question);
        if (error === undefined || error === null) resolve(result);
        else reject(explain(error));
      });
    });
  }

  #begin(question: Question): void {
    this.#underWay.add(question);
    if (this.#watch !== undefined) return;
    this.#watch = new AbortController();
    this.#signal?.addEventListener("abort", this.#abort, { once: true });
    void this.#watchOver(this.#watch.signal);
  }

  #end(question: Question): void {
    this.#underWay.delete(question);
    if (this.#underWay.size > 0) return;
    this.#watch?.abort(settledReason);
    this.#watch = undefined;
    this.#signal?.removeEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => this.#rejectAll(this.#signal?.reason);

  #rejectAll(reason: unknown): void {
    for (const question of this.#underWay) {
      question.reject(reason);
      this.#end(question);
    }
  }

  /** Looks when the oldest question would be over its time. */
  async #watchOver(done: AbortSignal): Promise<void> {
    while (!done.aborted) {
      const [oldest] = this.#underWay;
      const leftMs = oldest === undefined ? 0 : oldest.askedMs + sftpAnswerMs - this.#clock.monotonicMs();
      if (leftMs <= 0) {
        this.#silent = this.#silence(oldest?.path ?? "");
        return this.#rejectAll(this.#silent);
      }
      await this.#clock.sleep(leftMs, done).catch(() => {});
    }
  }
}
