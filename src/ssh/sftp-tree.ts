/** A machine's files behind SFTP (version 3) as a tree for copying. Keeps many requests under way, or latency would set the pace. */
import type { InputAttributes, SFTPWrapper, Stats } from "ssh2";
import { messageOf } from "../errors/machine-error.ts";
import type { Clock } from "../system/clock.ts";
import { unlessAborted } from "../system/waiting.ts";
import { mostEntries, sftpAnswerMs } from "./copy-bounds.ts";
import { copyFailed, type FileEntry, type FileTree } from "./file-tree.ts";
import { silentSftp } from "./sftp-greeting.ts";
import { Bound } from "./ssh-bounds.ts";

const chunkBytes = 32 * 1024;
/** As many as OpenSSH's own. */
const requestsUnderWay = 64;

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
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  /** A server that left one request unanswered is asked nothing more. */
  #silent: unknown;

  constructor(sftp: SFTPWrapper, label: string, clock: Clock, signal: AbortSignal | undefined) {
    this.#sftp = sftp;
    this.#label = label;
    this.#clock = clock;
    this.#signal = signal;
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
    let ahead: Promise<Buffer>[] = [];
    for (;;) {
      while (ahead.length < requestsUnderWay) ahead.push(this.#readAt(path, handle, position + ahead.length * chunkBytes));
      const chunk = await (ahead.shift() as Promise<Buffer>);
      if (chunk.length === 0) return;
      yield chunk;
      position += chunk.length;
      // The rest was asked for at the wrong places: a server may give less than asked, and does so at the end.
      if (chunk.length < chunkBytes) ahead = [];
    }
  }

  /** Empty at the end of the file. */
  #readAt(path: string, handle: Buffer, position: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafe(chunkBytes);
    const reading = this.#request<number>(path, (done) => this.#sftp.read(handle, buffer, 0, chunkBytes, position, done));
    const chunk = reading.then((length) => buffer.subarray(0, length));
    chunk.catch(() => {});
    return chunk;
  }

  async #writeAll(path: string, handle: Buffer, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const underWay: Promise<void>[] = [];
    let position = 0;
    for await (const chunk of chunks) {
      if (underWay.length >= requestsUnderWay) await underWay.shift();
      const writing = this.#request<void>(path, (done) =>
        this.#sftp.write(handle, Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length), 0, chunk.length, position, done),
      );
      writing.catch(() => {});
      underWay.push(writing);
      position += chunk.length;
    }
    await Promise.all(underWay);
  }

  async #close(path: string, handle: Buffer): Promise<void> {
    await this.#request<void>(path, (done) => this.#sftp.close(handle, done));
  }

  /** ssh2 answers every request when the channel breaks; a server that is silent ends with our bound. */
  async #request<T>(path: string, send: (done: (error: Error | undefined | null, result: T) => void) => void): Promise<T> {
    if (this.#silent !== undefined) throw this.#silent;
    const late = (): unknown => (this.#silent = silentSftp(this.#label, sftpAnswerMs, path));
    using bound = new Bound(this.#clock, sftpAnswerMs, late, this.#signal);
    const answer = new Promise<T>((resolve, reject) => {
      send((error, result) => {
        if (error === undefined || error === null) resolve(result);
        else reject(copyFailed(`${this.#label}:${path}`, statusTexts[statusOf(error) ?? 0] ?? messageOf(error), error));
      });
    });
    return await unlessAborted(answer, bound.signal);
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
