/** Whose files are, who else may read them, and how much room is left beside them. */
import { chmod, lstat, readdir, statfs } from "node:fs/promises";
import * as path from "node:path";

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
