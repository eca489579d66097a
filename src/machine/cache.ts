/**
 * What lies in the store's cache: images, saved states and downloads that drivers keep for later machines. A machine has
 * second names of all it needs, so that an entry can go at any time; one that is being made is left to its maker.
 */
import * as path from "node:path";
import { isMachineError } from "../errors/machine-error.ts";
import { factsOf, listFolder, removeTree } from "../system/disk-files.ts";
import { usageOf } from "../system/disk-usage.ts";
import { isAbandonedTemporary, readFileIfExists } from "../system/files.ts";
import { lockFile } from "../system/file-lock.ts";
import type { MachineContext } from "./machine-context.ts";

export interface CacheEntry {
  /** Below the cache, with slashes. */
  readonly path: string;
  /** What its description calls it; its path where it has none. */
  readonly title: string;
  /** Bytes on the disk. */
  readonly sizeBytes: number;
  /** Bytes that its removal sets free: what machines have second names of stays. */
  readonly freesBytes: number;
  /** When it was made. */
  readonly madeAt: Date;
}

/** What came of an entry that was to be removed. */
export interface PrunedEntry extends CacheEntry {
  /** Who is at work on it, where it was left. */
  readonly inUseBy?: string | undefined;
}

/** A folder with one of these is one thing, however many files it has. */
const descriptions = ["image.json", "state.json"];
/** Beside what they are about: locks, and notes which cost time to find out again, but no space. */
const noEntry = /\.lock(?:\..*)?$|\.failed$|^(?:known|accelerators)\.json$/u;

/** The entries that are older than this, all where it is 0, the largest first. An absent cache has none. Changes nothing. */
export async function listCache(
  { store, clock }: MachineContext,
  olderThanMs: number,
  signal: AbortSignal,
): Promise<CacheEntry[]> {
  const newestMs = clock.now().getTime() - olderThanMs;
  const all = await entriesBelow(store.cacheDir, "", signal);
  const found = all.filter(({ madeAt }) => olderThanMs === 0 || madeAt.getTime() < newestMs);
  return found.toSorted((a, b) => b.sizeBytes - a.sizeBytes || a.path.localeCompare(b.path));
}

/** Removes what {@link listCache} lists, what killed commands left half made with it. */
export async function pruneCache(context: MachineContext, olderThanMs: number, signal: AbortSignal): Promise<PrunedEntry[]> {
  const pruned: PrunedEntry[] = [];
  for (const entry of await listCache(context, olderThanMs, signal)) {
    signal.throwIfAborted();
    const inUseBy = await removeEntry(context, entry, signal);
    pruned.push(inUseBy === undefined ? entry : { ...entry, inUseBy });
  }
  return pruned;
}

async function entriesBelow(cacheDir: string, below: string, signal: AbortSignal): Promise<CacheEntry[]> {
  signal.throwIfAborted();
  const names = await listFolder(path.join(cacheDir, below));
  if (below !== "" && descriptions.some((name) => names.includes(name))) return [await describe(cacheDir, below)];
  const found: CacheEntry[] = [];
  for (const name of names) {
    const inner = path.posix.join(below, name);
    const isFolder = (await factsOf(path.join(cacheDir, inner)))?.isDirectory === true;
    if (/\.tmp-\d+-[0-9a-f]{8}$/u.test(name)) {
      if (isAbandonedTemporary(name)) found.push(await describe(cacheDir, inner));
    } else if (isFolder) found.push(...(await entriesBelow(cacheDir, inner, signal)));
    else if (!noEntry.test(name)) found.push(await describe(cacheDir, inner));
  }
  return found;
}

async function describe(cacheDir: string, entry: string): Promise<CacheEntry> {
  const target = path.join(cacheDir, entry);
  const { sizeBytes, freesBytes, modifiedMs } = await usageOf(target);
  return { path: entry, title: await titleOf(target, entry), sizeBytes, freesBytes, madeAt: new Date(modifiedMs) };
}

async function titleOf(target: string, entry: string): Promise<string> {
  if (isAbandonedTemporary(path.basename(target))) return "left half made";
  const names = (await factsOf(target))?.isDirectory === true ? await listFolder(target) : [];
  if (names.includes("state.json")) return "a saved state";
  const bytes = names.includes("image.json") ? await readFileIfExists(path.join(target, "image.json")) : undefined;
  try {
    const { title } = JSON.parse(bytes?.toString("utf8") ?? "{}") as { readonly title?: unknown };
    return typeof title === "string" && title !== "" ? title : path.posix.basename(entry);
  } catch {
    return path.posix.basename(entry);
  }
}

/** Under the lock that its makers take. Gives who holds it, where somebody does. */
async function removeEntry(
  { store, clock }: MachineContext,
  entry: CacheEntry,
  signal: AbortSignal,
): Promise<string | undefined> {
  const target = path.join(store.cacheDir, entry.path);
  try {
    const options = { what: entry.title, purpose: "empty the cache", waitMs: 0, clock, signal };
    await using _lock = await lockFile(`${target}.lock`, options, async () => true);
    await removeTree(target);
    return undefined;
  } catch (error) {
    if (!isMachineError(error, "machine-busy")) throw error;
    return error.message.replace(`${entry.title} is in use by `, "");
  }
}
