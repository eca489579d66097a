/**
 * Files that are large or many: images, disks, whole folders. Their contents can be made again, so nothing here is
 * fsynced except where a name is published for others.
 */
import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import type { Readable } from "node:stream";
import { MachineError, systemCodeOf } from "../errors/machine-error.ts";
import { explainFileError, syncDirectory, temporaryPathFor } from "./files.ts";

export interface FileFacts {
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly isDirectory: boolean;
}

/** Size and age of a file, or undefined when there is none. Follows symbolic links. */
export async function factsOf(file: string): Promise<FileFacts | undefined> {
  try {
    const stat = await fs.stat(file);
    return { sizeBytes: stat.size, modifiedMs: stat.mtimeMs, isDirectory: stat.isDirectory() };
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw explainFileError(error, file, "read");
  }
}

/** Where a path really leads, through all links; the path itself where there is nothing. */
export async function realPathOf(file: string): Promise<string> {
  return await fs.realpath(file).catch(() => file);
}

/** Names in a folder; an absent folder has none. */
export async function listFolder(folder: string): Promise<readonly string[]> {
  try {
    return await fs.readdir(folder);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return [];
    throw explainFileError(error, folder, "read");
  }
}

/** Removes a file or a whole folder. Succeeds when there is none. */
export async function removeTree(target: string): Promise<void> {
  try {
    await fs.rm(target, { recursive: true, force: true });
  } catch (error) {
    throw explainFileError(error, target, "remove");
  }
}

/** Removes a folder and those in it, as far as they hold no files. Succeeds when there is none; follows no links. */
export async function removeEmptyFolders(folder: string): Promise<void> {
  try {
    for (const entry of await fs.readdir(folder, { withFileTypes: true }))
      if (entry.isDirectory()) await removeEmptyFolders(path.join(folder, entry.name));
    await fs.rmdir(folder);
  } catch (error) {
    const code = systemCodeOf(error);
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EEXIST") throw explainFileError(error, folder, "remove");
  }
}

/**
 * Makes `to` a second name of `from`, or a copy of it where the file system cannot do that. The two outlive each other:
 * a machine keeps its image when the cache is emptied. Neither may be written afterwards.
 */
export async function linkOrCopy(from: string, to: string): Promise<void> {
  await removeTree(to);
  try {
    await fs.link(from, to);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") throw error;
    await copyLarge(from, to);
  }
}

/** Gives a whole file its name, in the place of one that has it. Throws `store-unusable`. */
export async function renameFile(from: string, to: string): Promise<void> {
  try {
    await fs.rename(from, to);
  } catch (error) {
    throw explainFileError(error, to, "create");
  }
}

/** Copies a file, sharing its blocks where the file system can. */
export async function copyLarge(from: string, to: string): Promise<void> {
  try {
    await fs.copyFile(from, to, constants.COPYFILE_FICLONE);
  } catch (error) {
    await fs.rm(to, { force: true });
    throw explainFileError(error, to, "write");
  }
}

/**
 * A folder that comes into being whole: `fill` writes into a temporary one beside it, which then takes the name. When
 * someone else was faster, theirs stays. A failure leaves nothing behind.
 */
export async function publishFolder(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = await makeScratchFolder(folder);
  try {
    await fill(temporary);
    await fs.rename(temporary, folder);
    await syncDirectory(path.dirname(folder));
  } catch (error) {
    await fs.rm(temporary, { recursive: true, force: true });
    const code = systemCodeOf(error);
    if (code === "ENOTEMPTY" || code === "EEXIST") return;
    throw explainFileError(error, folder, "create");
  }
}

/** A new private folder beside `target`, named so that a crash's leftovers are recognised. */
export async function makeScratchFolder(target: string): Promise<string> {
  const scratch = temporaryPathFor(target);
  try {
    await fs.mkdir(scratch, { recursive: true, mode: 0o700 });
    return scratch;
  } catch (error) {
    throw explainFileError(error, target, "create");
  }
}

/** Returns once the content of a file is on the disk. */
export async function syncFile(file: string): Promise<void> {
  await using handle = await fs.open(file, "r+");
  await handle.sync();
}

/** Bytes that an ordinary user can still write on the file system of a folder. */
export async function freeBytes(folder: string): Promise<number> {
  const stat = await fs.statfs(folder);
  return stat.bavail * stat.bsize;
}

/** Throws `disk-full` when fewer than `neededBytes` are free where `folder` is, or would be. */
export async function requireFreeBytes(folder: string, neededBytes: number, purpose: string): Promise<void> {
  let existing = folder;
  while ((await factsOf(existing)) === undefined && path.dirname(existing) !== existing) existing = path.dirname(existing);
  const free = await freeBytes(existing);
  if (free >= neededBytes) return;
  throw new MachineError("disk-full", `${purpose} needs ${mib(neededBytes)} MiB and ${existing} has ${mib(free)} MiB left`, {
    hint: "Free some space there, or choose another store with --storage-path.",
  });
}

/** Hex digest of a file's content. */
export async function hashFile(file: string, algorithm: string, signal: AbortSignal): Promise<string> {
  const hash = createHash(algorithm);
  try {
    for await (const chunk of createReadStream(file, { signal, highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  } catch (error) {
    signal.throwIfAborted();
    throw explainFileError(error, file, "read");
  }
  return hash.digest("hex");
}

/** Read at once: each read waits its turn among other work. */
const readBytes = 1 << 24;
const pageBytes = 1 << 20;

/**
 * Tells a file's content from any other, like a hash, and quickly for disks and memories that are mostly zeros: those
 * are passed over, not hashed. Only ever compared with what this function gave.
 */
export async function fingerprintFile(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  const zeros = Buffer.alloc(pageBytes);
  const buffer = Buffer.alloc(readBytes);
  try {
    await using handle = await fs.open(file, "r");
    for (let at = 0; ; at += buffer.length) {
      signal.throwIfAborted();
      const length = await readWhole(handle, buffer, at);
      for (let start = 0; start < length; start += pageBytes) {
        const page = buffer.subarray(start, Math.min(start + pageBytes, length));
        // The place makes it matter where the zeros are.
        if (!page.equals(zeros)) hash.update(`${at + start}\n`).update(page);
      }
      if (length < buffer.length) return hash.update(`${at + length}\n`).digest("hex");
    }
  } catch (error) {
    signal.throwIfAborted();
    throw explainFileError(error, file, "read");
  }
}

/** Fills the buffer as far as the file goes; a read may give less than it could. */
async function readWhole(handle: fs.FileHandle, buffer: Buffer, position: number): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** The last bytes of a text file, for showing a program's own explanation; "" when there is none. */
export async function tailOf(file: string, bytes: number): Promise<string> {
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(file, "r");
  } catch {
    return "";
  }
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, bytes);
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString("utf8");
  } finally {
    await handle.close();
  }
}

/** The first bytes of a file; fewer when it is shorter. */
export async function headOf(file: string, bytes: number): Promise<Buffer> {
  const handle = await fs.open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Opens a file that another process is to append its output to; the caller closes it. */
export async function openLog(file: string): Promise<fs.FileHandle> {
  try {
    return await fs.open(file, "a", 0o600);
  } catch (error) {
    throw explainFileError(error, file, "write");
  }
}

/** Takes away everybody's right to write: the file is shared by links. */
export async function makeReadOnly(file: string): Promise<void> {
  await fs.chmod(file, 0o444);
}

function mib(bytes: number): number {
  return Math.ceil(bytes / 1024 / 1024);
}

/** Whether this process may read and write a file or device: yes, no, or there is none. */
export async function accessTo(file: string): Promise<"granted" | "denied" | "absent"> {
  try {
    await fs.access(file, constants.R_OK | constants.W_OK);
    return "granted";
  } catch (error) {
    return systemCodeOf(error) === "ENOENT" ? "absent" : "denied";
  }
}

/** A stream of a file's bytes; errors are the stream's. */
export function readStreamOf(file: string): Readable {
  return createReadStream(file, { highWaterMark: 1 << 20 });
}

/** Whether there is a file or folder of that name which this process may read. */
export async function isReadable(file: string): Promise<boolean> {
  return await fs.access(file, constants.R_OK).then(
    () => true,
    () => false,
  );
}
