/**
 * A standard output stream of this process. Written to directly, because making a stream object costs Bun more than
 * all of `version`; the stream is made where it is needed after all. Part of the composition root.
 */
import { fstatSync, statSync, writeSync } from "node:fs";
import { systemCodeOf } from "../errors/machine-error.ts";

/** Where text is written to, with what is known of the terminal behind it. */
export interface OutputStream {
  /** Never throws; a reader that went away is ignored. */
  write(data: string | Uint8Array): void;
  readonly isTerminal: boolean;
  /** Columns of the terminal; 80 where there is none. */
  readonly columns: number;
  /** Rows of the terminal; 24 where there is none. */
  readonly rows: number;
}

/** A reader that went away, of a pipe, and of a socket with something unread, which Node gives its children as pipes. */
const readerGone: ReadonlySet<string | undefined> = new Set(["EPIPE", "ECONNRESET"]);

const defaultColumns = 80;
const defaultRows = 24;

const nowhere = "/dev/null";

/** Rules out files, pipes, sockets and what leads nowhere without loading what knows terminals. A closed descriptor is none either. */
export function mayBeTerminal(descriptor: number): boolean {
  try {
    const seen = fstatSync(descriptor);
    return seen.isCharacterDevice() && seen.rdev !== statSync(nowhere, { throwIfNoEntry: false })?.rdev;
  } catch {
    return false;
  }
}

export interface ProcessOutputOptions {
  readonly descriptor: number;
  /** Makes, or gives, the stream object on the same descriptor. */
  stream(): NodeJS.WriteStream;
  /** Consoles of Windows take text, not bytes: there the stream writes from the start. */
  readonly needsStream: boolean;
}

export class ProcessOutput implements OutputStream {
  readonly #options: ProcessOutputOptions;
  #stream: NodeJS.WriteStream | undefined;
  #error: unknown;

  constructor(options: ProcessOutputOptions) {
    this.#options = options;
  }

  get isTerminal(): boolean {
    return mayBeTerminal(this.#options.descriptor) && this.#openStream().isTTY;
  }

  /** Whether all that was written has left this process: a stream may hold some of it back. */
  get isWritten(): boolean {
    return this.#stream === undefined;
  }

  get columns(): number {
    // Some terminals say that they have none.
    return this.#openStream().columns || defaultColumns;
  }

  get rows(): number {
    return this.#openStream().rows || defaultRows;
  }

  /** What made writing fail; a reader that went away, as of `| head`, counts as no failure. */
  get failure(): unknown {
    return readerGone.has(systemCodeOf(this.#error)) ? undefined : this.#error;
  }

  write(data: string | Uint8Array): void {
    if (this.#error !== undefined) return;
    if (this.#stream !== undefined || this.#options.needsStream) this.#openStream().write(data);
    else this.#writeDirectly(typeof data === "string" ? new TextEncoder().encode(data) : data);
  }

  #writeDirectly(bytes: Uint8Array): void {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(this.#options.descriptor, bytes, written);
    } catch (error) {
      // The other side set the pipe to be non-blocking and is slow: the stream knows how to wait.
      if (systemCodeOf(error) === "EAGAIN") this.#openStream().write(bytes.subarray(written));
      else this.#error = error;
    }
  }

  #openStream(): NodeJS.WriteStream {
    this.#stream ??= this.#options.stream().on("error", (error) => {
      this.#error ??= error;
    });
    return this.#stream;
  }
}
