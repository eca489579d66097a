/** Whose files are, who else may read them, and how much room is left beside them. */
import { constants } from "node:fs";
import { access, chmod, lstat, readdir, stat, statfs } from "node:fs/promises";
import * as path from "node:path";
import { systemCodeOf } from "../errors/machine-error.ts";

export interface FileRights {
  readonly file: string;
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly isFolder: boolean;
}

/** Undefined for what is not there, or cannot be looked at. */
export async function rightsOf(file: string): Promise<FileRights | undefined> {
  try {
    const stats = await lstat(file);
    return { file, mode: stats.mode & 0o7777, uid: stats.uid, isFolder: stats.isDirectory() };
  } catch {
    return undefined;
  }
}

/** The folder, and what is directly in it. */
export async function rightsIn(folder: string): Promise<FileRights[]> {
  const names = await readdir(folder).catch(() => []);
  const all = await Promise.all([folder, ...names.map((name) => path.join(folder, name))].map(rightsOf));
  return all.flatMap((found) => found ?? []);
}

export interface WriteError {
  readonly why: "read-only" | "denied";
  /** The folder itself or, where that is not there yet, the nearest one above it that is. */
  readonly at: string;
  readonly mountPoint: string;
}

/** Why files cannot be made in a folder; undefined where they can, in it or in the one that it would be made in. Writes nothing. */
export async function writeErrorOf(folder: string): Promise<WriteError | undefined> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === "ENOENT" && path.dirname(folder) !== folder) return await writeErrorOf(path.dirname(folder));
    if (code !== "EROFS" && code !== "EACCES") return undefined;
    return { why: code === "EROFS" ? "read-only" : "denied", at: folder, mountPoint: await mountPointOf(folder) };
  }
}

/** The folder at which the file system begins that this one is in. */
async function mountPointOf(folder: string): Promise<string> {
  const parent = path.dirname(folder);
  const [own, above] = await Promise.all([stat(folder), stat(parent)]);
  return parent === folder || own.dev !== above.dev ? folder : await mountPointOf(parent);
}

export async function setMode(file: string, mode: number): Promise<void> {
  await chmod(file, mode);
}

export interface FileSystemLook {
  readonly freeMiB: number;
  /** By its magic number (statfs(2)). */
  readonly isNfs: boolean;
}

const nfsMagic = 0x6969;

/** Undefined where it cannot be told. */
export async function fileSystemOf(folder: string): Promise<FileSystemLook | undefined> {
  try {
    const { bavail, bsize, type } = await statfs(folder);
    return { freeMiB: Math.floor((bavail * bsize) / 1024 / 1024), isNfs: type === nfsMagic };
  } catch {
    return undefined;
  }
}
