/**
 * A standard output stream of this process. Written to directly, because making a stream object costs Bun more than
 * all of `version`; the stream is made where it is needed after all. Part of the composition root.
 */
import { systemCodeOf } from "../errors/machine-error.ts";
import type { Descriptor } from "./descriptor.ts";

/** Where text is written to, with what is known of the terminal behind it. */
export interface OutputStream {
  /** Never throws; a reader that went away is ignored. */
  write(data: string | Uint8Array): void;
  readonly isTerminal: boolean;
  /** Columns of the terminal; 80 where there is none. */
  readonly columns: number;
  /** Rows of the terminal; 24 where there is none. */
  readonly rows: number;
  /** The reader has gone away, as writing to it has told. */
  readonly isUnread: boolean;
}

/** A reader that went away, of a pipe, and of a socket with something unread, which Node gives its children as pipes. */
const readerGone: ReadonlySet<string | undefined> = new Set(["EPIPE", "ECONNRESET"]);

const defaultColumns = 80;
const defaultRows = 24;

export interface ProcessOutputOptions {
  readonly descriptor: Descriptor;
  /** Makes, or gives, the stream object on the same descriptor. */
  stream(): NodeJS.WriteStream;
  /** Consoles of Windows take text, not bytes: there the stream writes from the start. */
  readonly needsStream: boolean;
}

export class ProcessOutput implements OutputStream {
  readonly #options: ProcessOutputOptions;
  #stream: NodeJS.WriteStream | undefined;
  #error: unknown;
  /** What waits until the runtime is done with what it was given before; undefined where it is done. */
  #waiting: Uint8Array[] | undefined;

  constructor(options: ProcessOutputOptions) {
    this.#options = options;
  }

  get isTerminal(): boolean {
    return this.#options.descriptor.mayBeTerminal() && this.#openStream().isTTY;
  }

  /** Whether all that was written has left this process: a stream, or the runtime, may hold some of it back. */
  get isWritten(): boolean {
    return this.#stream === undefined && this.#waiting === undefined;
  }

  get columns(): number {
    // Some terminals say that they have none.
    return this.#openStream().columns || defaultColumns;
  }

  get rows(): number {
    return this.#openStream().rows || defaultRows;
  }

  get isUnread(): boolean {
    return readerGone.has(systemCodeOf(this.#error));
  }

  /** What made writing fail; a reader that went away, as of `| head`, counts as no failure. */
  get failure(): unknown {
    return this.isUnread ? undefined : this.#error;
  }

  write(data: string | Uint8Array): void {
    if (this.#error !== undefined) return;
    if (this.#stream !== undefined || this.#options.needsStream) this.#openStream().write(data);
    else this.#writeDirectly(typeof data === "string" ? new TextEncoder().encode(data) : data);
  }

  #writeDirectly(bytes: Uint8Array): void {
    if (this.#waiting !== undefined) return void this.#waiting.push(bytes);
    let rest = bytes;
    while (rest.length > 0 && this.#error === undefined) {
      const written = this.#options.descriptor.write(rest);
      if ("pending" in written) return this.#wait(written.pending, rest.subarray(written.bytes));
      // The other side set the pipe to be non-blocking and is slow: the stream knows how to wait.
      if ("error" in written && systemCodeOf(written.error) === "EAGAIN") return void this.#openStream().write(rest);
      if ("error" in written) this.#error = written.error;
      else rest = rest.subarray(written.bytes);
    }
  }

  #wait(pending: Promise<unknown>, rest: Uint8Array): void {
    this.#waiting = [rest];
    const goOn = (): void => {
      const waiting = this.#waiting ?? [];
      this.#waiting = undefined;
      for (const bytes of waiting) this.#writeDirectly(bytes);
    };
    pending.then(goOn, (error: unknown) => {
      this.#error = error;
      this.#waiting = undefined;
    });
  }

  #openStream(): NodeJS.WriteStream {
    this.#stream ??= this.#options.stream().on("error", (error) => {
      this.#error ??= error;
    });
    return this.#stream;
  }
}
