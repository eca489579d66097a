/** Bytes as they arrive, given out as gob messages. A reading attempt that runs out of messages starts over later. */
import { uintAt } from "./byte-reader.ts";
import { GobError } from "./gob-error.ts";

export class MessageQueue {
  readonly #maxMessageBytes: number;
  #bytes = new Uint8Array(4096);
  #start = 0;
  #end = 0;
  /** Where the attempt under way reads next. */
  #cursor = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Bytes that no committed attempt has consumed. */
  get pendingBytes(): number {
    return this.#end - this.#start;
  }

  push(chunk: Uint8Array): void {
    this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next message's payload, valid until the next push; undefined until it is complete. */
  next(): Uint8Array | undefined {
    const arrived = this.#bytes.subarray(0, this.#end);
    const length = uintAt(arrived, this.#cursor);
    if (length === undefined) return undefined;
    if (length.value > this.#maxMessageBytes) {
      throw new GobError(`gob: a message of ${length.value} bytes, where at most ${this.#maxMessageBytes} are taken`);
    }
    const end = length.end + Number(length.value);
    if (end > this.#end) return undefined;
    this.#cursor = end;
    return this.#bytes.subarray(length.end, end);
  }

  /** The messages that were given out are done with. */
  commit(): void {
    this.#start = this.#cursor;
  }

  /** The messages given out since the last commit will be given out again. */
  rollBack(): void {
    this.#cursor = this.#start;
  }

  #makeRoom(count: number): void {
    if (this.#end + count <= this.#bytes.length) return;
    const pending = this.#bytes.subarray(this.#start, this.#end);
    const needed = pending.length + count;
    const roomy = needed * 2 <= this.#bytes.length ? this.#bytes : new Uint8Array(needed * 2);
    roomy.set(pending);
    this.#cursor -= this.#start;
    this.#start = 0;
    this.#end = pending.length;
    this.#bytes = roomy;
  }
}
