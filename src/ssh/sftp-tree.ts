/** A machine's files behind SFTP (version 3) as a tree for copying. Keeps many requests under way, or latency would set the pace. */
import type { InputAttributes, SFTPWrapper, Stats } from "ssh2";
import { messageOf } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { mostEntries, sftpAnswerMs } from "./copy-bounds.ts";
import { copyFailed, type FileEntry, type FileTree } from "./file-tree.ts";
import { silentSftp } from "./sftp-greeting.ts";
import { SftpQuestions } from "./sftp-questions.ts";

/** What OpenSSH's server takes and gives at once. ssh2 asks other servers for less, by several requests. */
const chunkBytes = 254 * 1024;
/** As much as OpenSSH's client has under way: 64 requests of 32 KiB. */
const bytesUnderWay = 2 * 1024 * 1024;
const mostUnderWay = 64;

/** SSH_FX_EOF. */
const endOfListing = 1;

/** SSH_FX_NO_SUCH_FILE and its neighbours, in words. */
const noSuchFile = 2;
const statusTexts: Readonly<Record<number, string>> = {
  2: "no such file or folder",
  3: "permission denied",
  4: "the server reports a failure (the disk may be full)",
};

export class SftpTree implements FileTree {
  readonly #sftp: SFTPWrapper;
  /** Shown before paths in messages: the machine's name. */
  readonly #label: string;
  readonly #questions: SftpQuestions;

  constructor(sftp: SFTPWrapper, label: string, clock: Clock, signal: AbortSignal | undefined) {
    this.#sftp = sftp;
    this.#label = label;
    this.#questions = new SftpQuestions(clock, signal, (path) => silentSftp(label, sftpAnswerMs, path));
  }

  async find(path: string): Promise<FileEntry | undefined> {
    try {
      return describe(await this.#request<Stats>(path, (done) => this.#sftp.stat(path, done)));
    } catch (error) {
      if (statusOf((error as Error).cause) === noSuchFile) return undefined;
      throw error;
    }
  }

  async list(path: string): Promise<string[]> {
    const handle = await this.#request<Buffer>(path, (done) => this.#sftp.opendir(path, done));
    try {
      return (await this.#listAll(path, handle)).filter((name) => name !== "." && name !== "..");
    } finally {
      await this.#close(path, handle);
    }
  }

  async *read(path: string): AsyncGenerator<Uint8Array> {
    const handle = await this.#request<Buffer>(path, (done) => this.#sftp.open(path, "r", done));
    try {
      yield* this.#readAll(path, handle);
    } finally {
      await this.#close(path, handle);
    }
  }

  async write(path: string, mode: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const handle = await this.#request<Buffer>(path, (done) => this.#sftp.open(path, "w", mode | 0o200, done));
    try {
      await this.#writeAll(path, handle, chunks);
    } finally {
      await this.#close(path, handle);
    }
  }

  async makeFolder(path: string, mode: number): Promise<void> {
    await this.#request<void>(path, (done) => this.#sftp.mkdir(path, { mode } as InputAttributes, done));
  }

  async preserve(path: string, entry: FileEntry): Promise<void> {
    const attributes = { mode: entry.mode, atime: Math.floor(entry.accessedAt), mtime: Math.floor(entry.modifiedAt) };
    await this.#request<void>(path, (done) => this.#sftp.setstat(path, attributes, done));
  }

  /** In parts, so that a listing without end is noticed. */
  async #listAll(path: string, handle: Buffer): Promise<string[]> {
    const names: string[] = [];
    for (;;) {
      const part = await this.#request<{ readonly filename: string }[]>(path, (done) => this.#sftp.readdir(handle, done)).catch(
        (error: unknown) => {
          if (statusOf((error as Error).cause) === endOfListing) return undefined;
          throw error;
        },
      );
      if (part === undefined) return names;
      for (const { filename } of part) names.push(filename);
      if (names.length > mostEntries) {
        throw copyFailed(`${this.#label}:${path}`, `the server lists more than ${mostEntries} names in it`);
      }
    }
  }

  async *#readAll(path: string, handle: Buffer): AsyncGenerator<Uint8Array> {
    let position = 0;
    let length = chunkBytes;
    let most = mostUnderWay;
    let ahead: Promise<Buffer>[] = [];
    for (;;) {
      do ahead.push(this.#readAt(path, handle, position + ahead.length * length, length));
      while (ahead.length < most && ahead.length * length < bytesUnderWay);
      const chunk = await (ahead.shift() as Promise<Buffer>);
      if (chunk.length === 0) return;
      yield chunk;
      position += chunk.length;
      if (chunk.length === length) {
        most = mostUnderWay;
        continue;
      }
      // The rest was asked for at the wrong places. At the end of a file less comes than was asked for, and then nothing; from
      // a server that gives less at once something does, and it is asked for as much as it gives.
      ahead = [];
      if (most === 1) [length, most] = [chunk.length, mostUnderWay];
      else most = 1;
    }
  }

  /** Empty at the end of the file. */
  #readAt(path: string, handle: Buffer, position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(length);
    const reading = this.#request<number>(path, (done) => this.#sftp.read(handle, buffer, 0, length, position, done));
    const chunk = reading.then((given) => buffer.subarray(0, given));
    chunk.catch(() => {});
    return chunk;
  }

  async #writeAll(path: string, handle: Buffer, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const underWay: Promise<number>[] = [];
    let position = 0;
    let unanswered = 0;
    for await (const chunk of chunks) {
      while (unanswered >= bytesUnderWay) unanswered -= (await underWay.shift()) ?? 0;
      const writing = this.#request<void>(path, (done) =>
        this.#sftp.write(handle, Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length), 0, chunk.length, position, done),
      );
      const written = writing.then(() => chunk.length);
      written.catch(() => {});
      underWay.push(written);
      unanswered += chunk.length;
      position += chunk.length;
    }
    await Promise.all(underWay);
  }

  async #close(path: string, handle: Buffer): Promise<void> {
    await this.#request<void>(path, (done) => this.#sftp.close(handle, done));
  }

  /** ssh2 answers every request when the channel breaks; a server that is silent ends with our bound. */
  async #request<T>(path: string, send: (done: (error: Error | undefined | null, result: T) => void) => void): Promise<T> {
    return await this.#questions.ask(path, send, (error) =>
      copyFailed(`${this.#label}:${path}`, statusTexts[statusOf(error) ?? 0] ?? messageOf(error), error),
    );
  }
}

function describe(stats: Stats): FileEntry {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
  return { kind, mode: stats.mode & 0o777, sizeBytes: stats.size, accessedAt: stats.atime, modifiedAt: stats.mtime };
}

function statusOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "number" ? code : undefined;
}
