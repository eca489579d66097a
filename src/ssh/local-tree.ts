/** This computer's files as a tree for copying. */
import { createReadStream } from "node:fs";
import * as fs from "node:fs/promises";
import type { Stats } from "node:fs";
import { messageOf, systemCodeOf } from "../errors/machine-error.ts";
import { copyFailed, type FileEntry, type FileTree } from "./file-tree.ts";

/** As large as the largest SFTP request, and so few that a way through the system and its threads costs little. */
const chunkBytes = 254 * 1024;

export const localTree: FileTree = {
  find: (path) => naming(path, async () => await findEntry(path)),
  list: (path) => naming(path, async () => await fs.readdir(path)),
  read: (path) => readChunks(path),
  write: (path, mode, chunks) => naming(path, async () => await writeChunks(path, mode, chunks)),
  makeFolder: (path, mode) => naming(path, () => fs.mkdir(path, { mode })),
  preserve: (path, entry) =>
    naming(path, async () => {
      await fs.chmod(path, entry.mode);
      await fs.utimes(path, entry.accessedAt, entry.modifiedAt);
    }),
};

async function findEntry(path: string): Promise<FileEntry | undefined> {
  try {
    return describe(await fs.stat(path));
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function describe(stats: Stats): FileEntry {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : "other";
  return {
    kind,
    mode: stats.mode & 0o777,
    sizeBytes: stats.size,
    accessedAt: stats.atimeMs / 1000,
    modifiedAt: stats.mtimeMs / 1000,
  };
}

async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: chunkBytes }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw explain(path, error);
  }
}

async function writeChunks(path: string, mode: number, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await fs.open(path, "w", mode | 0o200);
  try {
    let gathered: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of chunks) {
      gathered.push(chunk);
      bytes += chunk.length;
      if (bytes < chunkBytes) continue;
      await writeWhole(file, joined(gathered));
      [gathered, bytes] = [[], 0];
    }
    await writeWhole(file, joined(gathered));
  } finally {
    await file.close();
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const [first] = chunks;
  return chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
}

/** The system may take less than it is given, as a disk does that is nearly full. */
async function writeWhole(file: fs.FileHandle, block: Uint8Array): Promise<void> {
  for (let at = 0; at < block.length;) at += (await file.write(block, at)).bytesWritten;
}

async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explain(path, error);
  }
}

/** Only errors of the file system are about the path; what the other side threw says itself what it is about. */
function explain(path: string, error: unknown): unknown {
  return systemCodeOf(error) === undefined ? error : copyFailed(path, messageOf(error), error);
}
