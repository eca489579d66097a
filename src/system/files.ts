/**
 * Files whose loss matters. A write is complete or did not happen: temporary file beside the target, fsync, rename,
 * fsync of the folder. Readers need no lock.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync, statSync } from "node:fs";
import * as fs from "node:fs/promises";
import * as path from "node:path";
import { MachineError, systemCodeOf } from "../errors/machine-error.ts";
import { isProcessAlive } from "./process-identity.ts";

/** Names of this process's temporary files that are in use. */
const temporariesInUse = new Set<string>();

/**
 * A path beside `target` for a file or folder that will be renamed to it or is about to be removed. What a crash leaves
 * behind is recognised by its name. The caller gives it back with {@link forgetTemporary}.
 */
export function temporaryPathFor(target: string): string {
  // The global object's, because loading node:crypto costs readers more than the rest of their start.
  const temporary = `${target}.tmp-${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
  temporariesInUse.add(path.basename(temporary));
  return temporary;
}

/** Says that a path of {@link temporaryPathFor} is no longer in use. */
export function forgetTemporary(temporary: string): void {
  temporariesInUse.delete(path.basename(temporary));
}

/** Whether a file name is that of a temporary whose process has ended. Another process may have had our id before us. */
export function isAbandonedTemporary(fileName: string): boolean {
  const pid = /\.tmp-(\d+)-[0-9a-f]{8}$/u.exec(fileName)?.[1];
  if (pid === undefined) return false;
  return Number(pid) === process.pid ? !temporariesInUse.has(fileName) : !isProcessAlive(Number(pid));
}

/** Replaces `file` atomically and durably. Throws `disk-full`, `store-unusable`. */
export async function writeFileAtomic(file: string, data: string | Uint8Array, mode: number): Promise<void> {
  const temporary = temporaryPathFor(file);
  try {
    const handle = await fs.open(temporary, "wx", mode);
    try {
      await handle.writeFile(data);
      // The mode given to open() is reduced by the umask.
      await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await fs.rename(temporary, file);
    await syncDirectory(path.dirname(file));
  } catch (error) {
    await fs.rm(temporary, { force: true }).catch(() => {});
    throw explainFileError(error, file, "write");
  } finally {
    forgetTemporary(temporary);
  }
}

/** Makes renames and creations in a folder durable. A no-op where folders cannot be synced (Windows). */
export async function syncDirectory(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await fs.open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The file's bytes, or undefined when it does not exist. */
export async function readFileIfExists(file: string): Promise<Buffer | undefined> {
  try {
    return await fs.readFile(file);
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT" || systemCodeOf(error) === "ENOTDIR") return undefined;
    throw explainFileError(error, file, "read");
  }
}

/**
 * As {@link readFileIfExists}, for a path that someone else may have chosen: a pipe is not waited for, a device not
 * touched. Throws `store-unusable` for what is no regular file. Reads at once: such files are small and here, and to step
 * aside for one takes longer than to read it.
 */
export async function readRegularFileIfExists(file: string): Promise<Buffer | undefined> {
  try {
    // Looked at before it is opened, because opening alone has effects on some devices; and after, because it is another then.
    // Most of what is asked for so is not there, and an error made for that is dear.
    const found = statSync(file, { throwIfNoEntry: false });
    if (found === undefined) return undefined;
    if (!found.isFile())
      throw noRegularFile(file, found.isDirectory() ? "it is a folder" : "it is a pipe or a device, not a file");
    const descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      if (!fstatSync(descriptor).isFile()) throw noRegularFile(file, "it is not a file any more");
      return readFileSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT" || systemCodeOf(error) === "ENOTDIR") return undefined;
    throw explainFileError(error, file, "read");
  }
}

/**
 * As {@link readRegularFileIfExists}, at once, and undefined whatever is wrong: for thousands of files, of which those that
 * cannot be read so are read once more, to say why.
 */
export function readRegularFileNow(file: string): string | undefined {
  try {
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return undefined;
    // The declarations know flags as words only.
    const flag = (constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)) as unknown as "r";
    return readFileSync(file, { encoding: "utf8", flag });
  } catch {
    return undefined;
  }
}

function noRegularFile(file: string, what: string): MachineError {
  return new MachineError("store-unusable", `Cannot read ${file}: ${what}`, {
    hint: "Something else was put in its place. Move it away, and put the file back.",
  });
}

/** Makes a folder and its parents, private to the user. A folder that exists is left as it is. */
export async function makePrivateDirectory(folder: string): Promise<void> {
  const error = await tryMakeDirectory(folder);
  if (error === undefined) return;
  // Node's own recursion calls a read-only file system a path that does not exist.
  if (systemCodeOf(error) !== "ENOENT" || path.dirname(folder) === folder) throw explainFileError(error, folder, "create");
  await makePrivateDirectory(path.dirname(folder));
  const secondError = await tryMakeDirectory(folder);
  if (secondError !== undefined) throw explainFileError(secondError, folder, "create");
}

async function tryMakeDirectory(folder: string): Promise<unknown> {
  try {
    await fs.mkdir(folder, { mode: 0o700 });
    // A parent that may not be read cannot be synced, and holds nothing of ours but this.
    await syncDirectory(path.dirname(folder)).catch(() => {});
    return undefined;
  } catch (error) {
    return systemCodeOf(error) === "EEXIST" && (await isDirectory(folder)) ? undefined : error;
  }
}

async function isDirectory(folder: string): Promise<boolean> {
  return await fs.stat(folder).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Turns a system error about a file into one sentence. */
export function explainFileError(error: unknown, file: string, verb: "read" | "write" | "create" | "remove"): unknown {
  const reasons: Record<string, string> = {
    ENOENT: "a folder of its path does not exist",
    EACCES: "permission denied",
    EPERM: "operation not permitted",
    EROFS: "the file system is read-only",
    ENOTDIR: "a part of the path is not a folder",
    EISDIR: "it is a folder",
    EEXIST: "something else of that name exists",
    ENAMETOOLONG: "the name is too long",
    ELOOP: "its path has a loop of links",
    EMFILE: "too many open files",
    ENFILE: "too many open files",
    EBUSY: "it is in use",
    EIO: "input/output error",
  };
  const code = systemCodeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new MachineError("disk-full", `Cannot ${verb} ${file}: no space left`, {
      cause: error,
      hint: `Free some space on the file system of ${path.dirname(file)} and run the command again.`,
    });
  }
  if (code === undefined || reasons[code] === undefined) return error;
  const wayOut = code === "ENAMETOOLONG" ? "Choose a shorter name" : "Check the owner and the permissions";
  return new MachineError("store-unusable", `Cannot ${verb} ${file}: ${reasons[code]}`, {
    cause: error,
    hint: `${wayOut}, or choose another folder with --storage-path.`,
  });
}

/** Appends one line durably; the file is created private to the user. */
export async function appendLineDurably(file: string, line: string): Promise<void> {
  try {
    const handle = await fs.open(file, "a", 0o600);
    try {
      await handle.appendFile(`${line}\n`);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw explainFileError(error, file, "write");
  }
}

/** Removes a file, if there is one. */
export async function removeFile(file: string): Promise<void> {
  try {
    await fs.rm(file, { force: true });
  } catch (error) {
    throw explainFileError(error, file, "remove");
  }
}
