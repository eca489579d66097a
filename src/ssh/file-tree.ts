/**
 * Copying files between two places that are seen only as trees of files: this computer and machines behind SFTP.
 * Behaves as scp does: links are followed, modes are kept as far as the receiver's umask allows, a folder as the
 * destination takes the source in under its own name.
 */
import { posix } from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import { deepestFolder } from "./copy-bounds.ts";
import { matchesFileGlob } from "./glob.ts";

export interface FileEntry {
  readonly kind: "file" | "folder" | "other";
  /** Permission bits. */
  readonly mode: number;
  readonly sizeBytes: number;
  /** Seconds since 1970. */
  readonly accessedAt: number;
  readonly modifiedAt: number;
}

/** Paths have slashes. Every method throws `copy-failed` naming the path. */
export interface FileTree {
  /** What is there, links followed; undefined where there is nothing. */
  find(path: string): Promise<FileEntry | undefined>;
  /** Names in a folder, without `.` and `..`. */
  list(path: string): Promise<string[]>;
  /** A file's bytes in order. */
  read(path: string): AsyncIterable<Uint8Array>;
  /** Creates or replaces a file with a mode, which the tree's umask may reduce. */
  write(path: string, mode: number, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  makeFolder(path: string, mode: number): Promise<void>;
  /** Gives the entry at a path exactly this mode and these times. */
  preserve(path: string, entry: FileEntry): Promise<void>;
}

interface TreeCopyOptions {
  readonly recursive: boolean;
  /** Exact modes and times, as `scp -p`. */
  readonly preserve: boolean;
  /** Files and folders that are taken from the source before it is called hostile. */
  readonly mostEntries?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Told as a file makes progress. */
  readonly onProgress?: ((path: string, doneBytes: number, totalBytes: number) => void) | undefined;
}

/** Copies what a path or pattern of the source names to a path of the destination. */
export async function copyTree(
  from: FileTree,
  source: string,
  to: FileTree,
  destination: string,
  options: TreeCopyOptions,
): Promise<void> {
  const sources = await expandPattern(from, source);
  const target = await to.find(destination);
  if (sources.length > 1 && target?.kind !== "folder")
    throw copyFailed(destination, "not a folder, but several files are to go there");
  const taken: Taken = { entries: 0, from: source };
  for (const path of sources) {
    const name = posix.basename(path);
    const inside = target?.kind === "folder" && name !== "" && name !== "." && name !== "..";
    await copyEntry(from, path, to, inside ? posix.join(destination, name) : destination, options, taken, 0);
  }
}

/** What one copy has taken so far. */
interface Taken {
  readonly from: string;
  entries: number;
}

/** A hostile machine may show folders without end, in depth and in number. */
function count(taken: Taken, depth: number, options: TreeCopyOptions): void {
  taken.entries += 1;
  if (depth > deepestFolder) throw copyFailed(taken.from, `its folders are more than ${deepestFolder} deep`);
  const most = options.mostEntries ?? Infinity;
  if (taken.entries > most) throw copyFailed(taken.from, `it holds more than ${most} files and folders`);
}

async function copyEntry(
  from: FileTree,
  path: string,
  to: FileTree,
  destination: string,
  options: TreeCopyOptions,
  taken: Taken,
  depth: number,
): Promise<void> {
  options.signal?.throwIfAborted();
  count(taken, depth, options);
  const entry = await from.find(path);
  if (entry === undefined) throw copyFailed(path, "no such file or folder");
  if (entry.kind === "other") throw copyFailed(path, "neither a file nor a folder");
  if (entry.kind === "folder") await copyFolder(from, path, to, destination, entry, options, taken, depth);
  else await to.write(destination, entry.mode, watched(from.read(path), path, entry.sizeBytes, options));
  if (options.preserve) await to.preserve(destination, entry);
}

async function copyFolder(
  from: FileTree,
  path: string,
  to: FileTree,
  destination: string,
  entry: FileEntry,
  options: TreeCopyOptions,
  taken: Taken,
  depth: number,
): Promise<void> {
  if (!options.recursive) throw copyFailed(path, "it is a folder (copy it with -r)");
  const existing = await to.find(destination);
  if (existing !== undefined && existing.kind !== "folder") throw copyFailed(destination, "it is there already and not a folder");
  // Writable for us while it is being filled.
  if (existing === undefined) await to.makeFolder(destination, entry.mode | 0o700);
  for (const name of await from.list(path)) {
    refuseEscape(path, name);
    await copyEntry(from, posix.join(path, name), to, posix.join(destination, name), options, taken, depth + 1);
  }
}

/** A hostile server may list names that lead out of the folder that is being copied. */
function refuseEscape(folder: string, name: string): void {
  if (name === "" || name === "." || name === ".." || /[/\\\0]/u.test(name)) {
    throw copyFailed(folder, `its listing holds the impossible name ${JSON.stringify(name)}`);
  }
}

async function* watched(
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  totalBytes: number,
  options: TreeCopyOptions,
): AsyncGenerator<Uint8Array> {
  let doneBytes = 0;
  for await (const chunk of chunks) {
    options.signal?.throwIfAborted();
    yield chunk;
    doneBytes += chunk.length;
    options.onProgress?.(path, doneBytes, totalBytes);
  }
}

/** The paths that a pattern with `*`, `?` or `[…]` stands for; a path that exists stands for itself. */
async function expandPattern(tree: FileTree, pattern: string): Promise<string[]> {
  if (!/[*?[]/u.test(pattern) || (await tree.find(pattern)) !== undefined) return [pattern];
  const parts = pattern.split("/").filter((part) => part !== "");
  let found = [pattern.startsWith("/") ? "/" : "."];
  for (const part of parts) found = (await Promise.all(found.map((folder) => matchesIn(tree, folder, part)))).flat();
  if (found.length === 0) throw copyFailed(pattern, "no such file or folder");
  return found;
}

async function matchesIn(tree: FileTree, folder: string, part: string): Promise<string[]> {
  if ((await tree.find(folder))?.kind !== "folder") return [];
  const candidates = /[*?[]/u.test(part)
    ? (await tree.list(folder)).filter((name) => matchesFileGlob(part, name)).sort()
    : [part];
  const paths = candidates.map((name) => posix.join(folder, name));
  const present = await Promise.all(paths.map(async (path) => (await tree.find(path)) !== undefined));
  return paths.filter((_, index) => present[index]);
}

export function copyFailed(path: string, reason: string, cause?: unknown): MachineError {
  return new MachineError("copy-failed", `Cannot copy ${path}: ${reason}`, { cause });
}
