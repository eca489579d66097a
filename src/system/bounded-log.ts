/** A log that lives long: lines with their time, in a private file that stays small. What was said last is what is kept. */
import { open, type FileHandle } from "node:fs/promises";
import type { Clock } from "./clock.ts";
import { explainFileError } from "./files.ts";

export class BoundedLog implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #mostBytes: number;
  readonly #clock: Clock;

  private constructor(handle: FileHandle, mostBytes: number, clock: Clock) {
    this.#handle = handle;
    this.#mostBytes = mostBytes;
    this.#clock = clock;
  }

  /** Goes on with a file that there is. Throws `store-unusable`. */
  static async open(file: string, mostBytes: number, clock: Clock): Promise<BoundedLog> {
    try {
      return new BoundedLog(await open(file, "a+", 0o600), mostBytes, clock);
    } catch (error) {
      throw explainFileError(error, file, "write");
    }
  }

  /** A full disk is no reason for anything else to fail. */
  async say(text: string): Promise<void> {
    const line = `${this.#clock.now().toISOString()} ${text.replaceAll(/\s+/gu, " ")}\n`;
    try {
      const { size } = await this.#handle.stat();
      if (size + Buffer.byteLength(line) > this.#mostBytes) await this.#forgetOldest(size);
      await this.#handle.appendFile(line);
    } catch {
      // What is not written is not known later; the work goes on.
    }
  }

  /** Keeps whole lines of the newer half. */
  async #forgetOldest(size: number): Promise<void> {
    const length = Math.min(size, Math.floor(this.#mostBytes / 2));
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(length), 0, length, size - length);
    const kept = buffer.subarray(0, bytesRead);
    await this.#handle.truncate(0);
    await this.#handle.appendFile(kept.subarray(kept.indexOf("\n") + 1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
