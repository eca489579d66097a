/**
 * A lock on a file that dies with its process, also under SIGKILL. It is SQLite's own file lock (POSIX record locks,
 * LockFileEx on Windows) held by an exclusive transaction on an empty database: both runtimes carry SQLite, so no
 * native addon is needed. On NFS it is as good as the server's record locks are. Nothing is ever written to the lock
 * file; who holds it stands in a file beside it, as information only.
 */
import { readFile, rm, writeFile } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import { MachineError, systemCodeOf } from "../errors/machine-error.ts";
import { explainFileError } from "./files.ts";
import { systemClock, type Clock } from "./clock.ts";

export interface FileLockOptions {
  /** What the lock protects, for the message: `machine "web"`. */
  readonly what: string;
  /** What the holder is doing, shown to those who wait: `create`. */
  readonly purpose: string;
  /** How long to wait for another holder; 0 tries once. */
  readonly waitMs: number;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
  /** Called once when the lock is held by someone else and waiting begins. */
  readonly onWait?: ((holder: string) => void) | undefined;
}

export interface FileLock extends AsyncDisposable {
  release(): Promise<void>;
}

const pollMs = 25;
const sqliteBusy = 5;
const heldHere = new Set<string>();

/** Takes the lock or throws `machine-busy` naming the holder, `store-unusable`, or the signal's reason. */
export async function lockFile(file: string, options: FileLockOptions): Promise<FileLock> {
  const clock = options.clock ?? systemClock;
  const deadline = clock.monotonicMs() + options.waitMs;
  let announced = false;
  for (;;) {
    options.signal?.throwIfAborted();
    const database = await tryLock(file);
    if (database !== undefined) return await holding(file, database, options.purpose);
    const holder = await describeHolder(file);
    if (clock.monotonicMs() >= deadline) {
      throw new MachineError("machine-busy", `${options.what} is in use by ${holder}`, {
        hint: "Wait until it has finished and run the command again.",
      });
    }
    if (!announced) options.onWait?.(holder);
    announced = true;
    await clock.sleep(pollMs, options.signal);
  }
}

async function tryLock(file: string): Promise<DatabaseSync | undefined> {
  // Record locks belong to the process: a second connection here would be granted the same lock.
  if (heldHere.has(file)) return undefined;
  const { DatabaseSync } = await import("node:sqlite");
  heldHere.add(file);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    heldHere.delete(file);
    database?.close();
    if (isBusy(error)) return undefined;
    throw explainLockError(error, file);
  }
}

async function holding(file: string, database: DatabaseSync, purpose: string): Promise<FileLock> {
  const note = `${file}.holder`;
  await writeFile(note, `${process.pid} ${purpose}\n`, { mode: 0o600 }).catch(() => {});
  let released = false;
  const release = async (): Promise<void> => {
    if (released) return;
    released = true;
    await rm(note, { force: true }).catch(() => {});
    database.close();
    heldHere.delete(file);
  };
  return { release, [Symbol.asyncDispose]: release };
}

async function describeHolder(file: string): Promise<string> {
  const note = await readFile(`${file}.holder`, "utf8").catch(() => "");
  const found = /^(\d+) (.+)$/mu.exec(note);
  return found === null ? "another docker-machine process" : `docker-machine ${found[2]} (process ${found[1]})`;
}

function isBusy(error: unknown): boolean {
  const code = (error as { errcode?: unknown; errno?: unknown } | null)?.errcode ?? (error as { errno?: unknown } | null)?.errno;
  return code === sqliteBusy || /database is locked/u.test(String(error));
}

function explainLockError(error: unknown, file: string): unknown {
  if (systemCodeOf(error) === "ERR_SQLITE_ERROR" || /SQLite|unable to open/iu.test(String(error))) {
    return new MachineError("store-unusable", `Cannot lock ${file}: it cannot be opened for writing`, {
      cause: error,
      hint: "Check the owner and the permissions of the store, or choose another with --storage-path.",
    });
  }
  return explainFileError(error, file, "write");
}
