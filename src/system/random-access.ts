/**
 * Large files that are read and written at any place: disk images. Who knows their formats (`driver-kit/disk-formats`)
 * sees a {@link ByteSource} and a {@link ByteSink} only.
 */
import * as fs from "node:fs/promises";
import { MachineError, systemCodeOf } from "../errors/machine-error.ts";
import { explainFileError } from "./files.ts";

/** Bytes that can be read at any place, several reads at a time. */
export interface ByteSource {
  /** What messages call it. */
  readonly name: string;
  readonly sizeBytes: number;
  /** `length` bytes, in memory of their own; fewer only where the source ends. */
  read(offset: number, length: number): Promise<Buffer>;
}

/** A new file that is filled at any place, several writes at a time. What is never written reads as zeros. */
export interface ByteSink {
  write(offset: number, bytes: Uint8Array): Promise<void>;
  /** Gives the whole its size; takes no space for it where the file system can do without. */
  setSize(sizeBytes: number): Promise<void>;
}

export interface OpenByteSource extends ByteSource, AsyncDisposable {}

/**
 * Opens a file for reading. Throws `image-unusable` when there is none or it is no file: a pipe would never answer, a
 * device has no size. Throws `store-unusable` when it may not be read.
 */
export async function openByteSource(file: string, name: string = file): Promise<OpenByteSource> {
  try {
    const { isFile, size } = await regularFile(file);
    if (!isFile) throw new MachineError("image-unusable", `The image ${name} cannot be used: it is not a file`);
    return new FileSource(await fs.open(file, "r"), name, size);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT" && systemCodeOf(error) !== "ENOTDIR") throw explainFileError(error, file, "read");
    throw new MachineError("image-unusable", `The image ${name} does not exist`, { cause: error });
  }
}

async function regularFile(file: string): Promise<{ readonly isFile: boolean; readonly size: number }> {
  const stat = await fs.stat(file);
  return { isFile: stat.isFile(), size: stat.size };
}

class FileSource implements OpenByteSource {
  readonly name: string;
  readonly sizeBytes: number;
  readonly #handle: fs.FileHandle;

  constructor(handle: fs.FileHandle, name: string, sizeBytes: number) {
    this.#handle = handle;
    this.name = name;
    this.sizeBytes = sizeBytes;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafeSlow(length);
    let done = 0;
    try {
      while (done < length) {
        const { bytesRead } = await this.#handle.read(bytes, done, length - done, offset + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
    } catch (error) {
      throw explainFileError(error, this.name, "read");
    }
    return bytes.subarray(0, done);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}

/**
 * A file that was not there before, readable by this user alone, filled by `fill`. Nothing stays of it when that fails.
 * Throws what `fill` throws, `disk-full`, and `store-unusable`, also when something of that name exists.
 */
export async function writeNewFile(file: string, fill: (sink: ByteSink) => Promise<void>): Promise<void> {
  const handle = await fs.open(file, "wx", 0o600).catch((error: unknown) => {
    throw explainFileError(error, file, "create");
  });
  try {
    try {
      await fill(new FileSink(handle));
    } finally {
      // Some file systems tell only now that there was no room.
      await handle.close();
    }
  } catch (error) {
    await fs.rm(file, { force: true }).catch(() => {});
    throw explainFileError(error, file, "write");
  }
}

class FileSink implements ByteSink {
  readonly #handle: fs.FileHandle;

  constructor(handle: fs.FileHandle) {
    this.#handle = handle;
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, offset + done);
      done += bytesWritten;
    }
  }

  async setSize(sizeBytes: number): Promise<void> {
    await this.#handle.truncate(sizeBytes);
  }
}

/** So much at a time, because a write costs the system little less when it is smaller. */
const writeBytes = 1 << 20;

/** Writes a stream from the beginning on. Throws what the stream and the sink throw. */
export async function writeInOrder(sink: ByteSink, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const waiting = Buffer.allocUnsafeSlow(writeBytes);
  let waitingBytes = 0;
  let position = 0;
  const flush = async (): Promise<void> => {
    await sink.write(position, waiting.subarray(0, waitingBytes));
    position += waitingBytes;
    waitingBytes = 0;
  };
  for await (const chunk of chunks) {
    for (let done = 0; done < chunk.length;) {
      const length = Math.min(chunk.length - done, writeBytes - waitingBytes);
      waiting.set(chunk.subarray(done, done + length), waitingBytes);
      waitingBytes += length;
      done += length;
      if (waitingBytes === writeBytes) await flush();
    }
  }
  await flush();
}
