/**
 * A lock on a file that dies with its process, also under SIGKILL. It is SQLite's own file lock (POSIX record locks,
 * LockFileEx on Windows), held by an open write transaction on an empty database: both runtimes carry SQLite, so no
 * native addon is needed. On NFS it is as good as the server's record locks are. Nothing is ever written to the lock
 * file; who holds it stands in a file beside it, as information only.
 *
 * POSIX drops a process's record locks when it closes any descriptor of the file, so nothing else in this program may
 * open a lock file, and this module opens one once at a time.
 */
import { open, readFile, rm, stat, writeFile, type FileHandle } from "node:fs/promises";
import type * as SqliteModule from "node:sqlite";
import type { DatabaseSync } from "node:sqlite";
import { MachineError } from "../errors/machine-error.ts";
import { systemClock, type Clock } from "./clock.ts";
import { explainFileError } from "./files.ts";
import { isProcessAlive } from "./process-identity.ts";
import { withoutWarnings } from "./quiet-warnings.ts";
import { poll, type Attempt } from "./waiting.ts";

export interface FileLockOptions {
  /** What the lock protects, for the message: `machine "web"`. */
  readonly what: string;
  /** What the holder is doing, shown to those who wait: `create`. */
  readonly purpose: string;
  /** How long to wait for another holder; 0 tries once. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** Called once when the lock is held by someone else and there is time to wait. */
  readonly onWait?: ((holder: string) => void) | undefined;
}

export interface FileLock extends AsyncDisposable {
  /** Gives the lock back. May be called again, and does nothing then. */
  release(): Promise<void>;
}

/** Between two attempts: short at first, then so long that many who wait leave the computer to the one they wait for. */
const pace = { firstMs: 10, mostMs: 160 };
const sqliteBusy = 5;

/**
 * Takes the lock or throws `machine-busy` naming the holder, `store-unusable`, or the signal's reason. The folder must
 * exist. The lock file stays, unless `isObsolete` says at release that what it protects is gone for good.
 */
export async function lockFile(file: string, options: FileLockOptions, isObsolete?: () => Promise<boolean>): Promise<FileLock> {
  const held = await waitForLock(
    () => tryLock(file),
    () => describeHolder(file),
    options,
  );
  return await holding(held, options.purpose, isObsolete);
}

/**
 * Whether somebody holds the lock now, in this process too. Makes no file. One that may not be opened from here counts as
 * held: what its holder does cannot be told.
 */
export async function isFileLocked(file: string): Promise<boolean> {
  if (openHere.has(file)) return true;
  if ((await stat(file).catch(() => undefined)) === undefined) return false;
  const held = await tryLock(file).catch(() => undefined);
  if (held === undefined) return true;
  await letGo(held);
  return false;
}

/** Tries until `attempt` gives something, the time is up (`machine-busy`) or the signal is aborted. */
export async function waitForLock<T>(
  attempt: () => Promise<T | undefined>,
  findHolder: () => Promise<string>,
  options: FileLockOptions,
): Promise<T> {
  const patience = { ms: options.waitMs, clock: options.clock ?? systemClock, signal: options.signal };
  const ask = async ({ last, note }: Attempt): Promise<T | undefined> => {
    const taken = await attempt();
    if (taken !== undefined) return taken;
    const holder = await findHolder();
    if (last === undefined && options.waitMs > 0) options.onWait?.(holder);
    note(holder);
    return undefined;
  };
  return await poll(patience, pace, ask, (holder) => {
    const hint = "Wait until it has finished and run the command again.";
    return new MachineError("machine-busy", `${options.what} is in use by ${String(holder)}`, { hint });
  });
}

/** Lock files that this process has open. */
const openHere = new Set<string>();
/** How those that it holds are given back. */
const releases = new Map<string, () => Promise<void>>();

/** Gives back what this process holds below a folder, as its end would: for tests in which only a part of it ends. */
export async function releaseLocksBelow(folder: string): Promise<void> {
  for (const [file, release] of releases) if (file.startsWith(folder)) await release();
}

/** A locked file. The handle keeps its inode number from being given to another file. */
interface HeldFile {
  readonly file: string;
  readonly handle: FileHandle;
  readonly database: DatabaseSync;
}

async function tryLock(file: string): Promise<HeldFile | undefined> {
  if (openHere.has(file)) return undefined;
  openHere.add(file);
  let held: HeldFile | undefined;
  try {
    held = await tryLockUnopened(file);
    return held;
  } finally {
    if (held === undefined) openHere.delete(file);
  }
}

async function letGo({ file, handle, database }: HeldFile): Promise<void> {
  database.close();
  await handle.close();
  openHere.delete(file);
}

async function tryLockUnopened(file: string): Promise<HeldFile | undefined> {
  const { DatabaseSync } = await (sqlite ??= importSqlite());
  for (;;) {
    const handle = await openLockFile(file);
    const outcome = lockDatabase(() => new DatabaseSync(file));
    // A lock counts only on the file at the path. It was there before the lock and is there after it: nobody puts a
    // removed file back, so it was this one that was locked.
    const isCurrent = await isAtPath(handle, file);
    if ("database" in outcome && isCurrent) return { file, handle, database: outcome.database };
    if ("database" in outcome) outcome.database.close();
    await handle.close();
    if ("error" in outcome && isBusy(outcome.error)) return undefined;
    if ("error" in outcome && isCurrent) throw cannotLock(file, outcome.error);
  }
}

async function openLockFile(file: string): Promise<FileHandle> {
  try {
    return await open(file, "a", 0o600);
  } catch (error) {
    throw explainFileError(error, file, "write");
  }
}

function lockDatabase(openDatabase: () => DatabaseSync): { database: DatabaseSync } | { error: unknown } {
  let database: DatabaseSync | undefined;
  try {
    database = openDatabase();
    // A journal in a file would need space on the disk and outlive a holder that is killed; OFF is not always honoured.
    // IMMEDIATE takes one byte-range lock that excludes its like; EXCLUSIVE would also fail against a mere attempt.
    database.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN IMMEDIATE");
    return { database };
  } catch (error) {
    database?.close();
    return { error };
  }
}

async function isAtPath(handle: FileHandle, file: string): Promise<boolean> {
  const [opened, found] = await Promise.all([handle.stat({ bigint: true }), stat(file, { bigint: true }).catch(() => undefined)]);
  return opened.ino === found?.ino && opened.dev === found.dev;
}

let sqlite: Promise<typeof SqliteModule> | undefined;

/** SQLite, without the warning that Node 22 prints about it on first use. */
async function importSqlite(): Promise<typeof SqliteModule> {
  return await withoutWarnings(
    (warning) => String(warning).includes("SQLite"),
    async () => await import("node:sqlite"),
  );
}

async function holding(held: HeldFile, purpose: string, isObsolete?: () => Promise<boolean>): Promise<FileLock> {
  const note = noteBeside(held.file);
  await writeFile(note, `${process.pid} ${purpose}\n`, { mode: 0o600 }).catch(() => {});
  let isHeld = true;
  const release = async (): Promise<void> => {
    if (!isHeld) return;
    isHeld = false;
    const isUseless = (await isObsolete?.().catch(() => false)) ?? false;
    // While the lock is held: afterwards they are another's.
    for (const each of isUseless ? [note, held.file] : [note]) await rm(each, { force: true }).catch(() => {});
    await letGo(held);
    releases.delete(held.file);
  };
  releases.set(held.file, release);
  return { release, [Symbol.asyncDispose]: release };
}

function noteBeside(file: string): string {
  return `${file}.holder`;
}

/** Who holds a lock, where that is this process in another part of its work. */
export function ownHolder(purpose: string): string {
  return `docker-machine ${purpose} (of this very command)`;
}

async function describeHolder(file: string): Promise<string> {
  const note = await readNote(file);
  if (typeof note === "string" || !isProcessAlive(note.pid)) return "another docker-machine process";
  // The number may also be that of a process elsewhere: in another container, or before the last boot.
  if (note.pid === process.pid) return openHere.has(file) ? ownHolder(note.purpose) : "another docker-machine process";
  return `docker-machine ${note.purpose} (process ${note.pid})`;
}

/**
 * Whether a lock file has the note of a holder that was killed: whoever takes the lock and gives it back removes that.
 * One that says nothing counts, too: its writer was killed in the middle, or holds the lock, and then it cannot be taken.
 */
export async function hasDeadHolder(file: string): Promise<boolean> {
  const note = await readNote(file);
  return note !== "absent" && (note === "torn" || !isProcessAlive(note.pid));
}

type Note = { readonly pid: number; readonly purpose: string } | "absent" | "torn";

async function readNote(file: string): Promise<Note> {
  const text = await readFile(noteBeside(file), "utf8").catch(() => undefined);
  if (text === undefined) return "absent";
  const [, pid, purpose] = /^(\d+) (.+)\n/u.exec(text) ?? [];
  return pid === undefined || purpose === undefined ? "torn" : { pid: Number(pid), purpose };
}

function isBusy(error: unknown): boolean {
  return (error as { errcode?: unknown } | null)?.errcode === sqliteBusy;
}

function cannotLock(file: string, cause: unknown): MachineError {
  return new MachineError("store-unusable", `Cannot lock ${file}`, {
    cause,
    hint: "The file system may not support locks. Choose another folder for the store with --storage-path.",
  });
}
