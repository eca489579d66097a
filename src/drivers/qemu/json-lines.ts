/**
 * JSON values, one a line, over a stream: what QEMU's monitor and its guest agent speak. Knows neither protocol.
 */
import type { Duplex } from "node:stream";
import { MachineError } from "../../errors/machine-error.ts";
import type { Clock } from "../../system/clock.ts";
import { LineSplitter } from "../../system/line-splitter.ts";
import { unlessAborted, within } from "../../system/waiting.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** Answers are a few kilobytes; the output of a command in the guest may be more. */
const longestLine = 64 * 1024 * 1024;

export class JsonLines {
  readonly #stream: Duplex;
  readonly #peer: string;
  readonly #clock: Clock;
  #closed: Error | undefined;
  readonly #receivers = new Set<{ take(message: JsonObject): void; fail(error: Error): void }>();

  /** @param peer who is at the other end, for messages. */
  constructor(stream: Duplex, peer: string, clock: Clock) {
    this.#stream = stream;
    this.#peer = peer;
    this.#clock = clock;
    const lines = new LineSplitter((line, isWhole) => this.#takeLine(line, isWhole), longestLine);
    stream.on("data", (chunk: Buffer) => lines.push(chunk));
    stream.on("error", (error: Error) => this.#fail(error));
    stream.on("close", () => this.#fail(new Error("closed")));
    // It may have ended between its connection and now.
    if (stream.destroyed) this.#fail(stream.errored ?? new Error("closed"));
  }

  /** Writes a value as one line, with `prefix` before it. */
  send(value: JsonObject, prefix = ""): void {
    if (this.#closed === undefined)
      this.#stream.write(Buffer.concat([Buffer.from(prefix, "latin1"), Buffer.from(`${JSON.stringify(value)}\n`)]));
  }

  /**
   * Waits for the first message that `accept` takes. Subscribes before it returns, so it is called before the request
   * is sent. Throws `timeout`, `driver-failed` when the stream ends, or the signal's reason.
   */
  async receive<T>(
    accept: (message: JsonObject) => T | undefined,
    bound: { readonly what: string; readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<T> {
    const answer = Promise.withResolvers<T>();
    const receiver = {
      take: (message: JsonObject): void => {
        const value = accept(message);
        if (value !== undefined) answer.resolve(value);
      },
      fail: answer.reject,
    };
    // It may fail when nobody listens yet.
    answer.promise.catch(() => {});
    this.#receivers.add(receiver);
    if (this.#closed !== undefined) receiver.fail(this.#closed);
    try {
      const patience = { ms: bound.timeoutMs, clock: this.#clock, signal: bound.signal };
      const late = `${this.#peer} did not answer ${bound.what}`;
      return await within(patience, async (signal) => await unlessAborted(answer.promise, signal), late);
    } finally {
      this.#receivers.delete(receiver);
    }
  }

  close(): void {
    this.#stream.destroy();
  }

  #takeLine(line: string, isWhole: boolean): void {
    if (!isWhole) this.#stream.destroy(new Error("a line is longer than 64 MiB"));
    const message = isWhole ? parseLine(line) : undefined;
    if (message !== undefined) for (const receiver of this.#receivers) receiver.take(message);
  }

  #fail(error: Error): void {
    this.#closed ??= new MachineError("driver-failed", `The connection to ${this.#peer} ended: ${error.message}`, {
      cause: error,
    });
    for (const receiver of this.#receivers) receiver.fail(this.#closed);
  }
}

/** Anything that is no object (a torn line after a reconnect, the agent's 0xFF sentinel) is skipped. */
function parseLine(line: string): JsonObject | undefined {
  const start = line.indexOf("{");
  if (start < 0) return undefined;
  try {
    return JSON.parse(line.slice(start)) as JsonObject;
  } catch {
    return undefined;
  }
}
