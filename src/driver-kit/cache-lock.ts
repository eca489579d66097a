/** Locks on what drivers keep in the store's cache: one command makes a thing, which takes long, and the others wait for it. */
import { logTo } from "../log/event.ts";
import { lockFile, type FileLock } from "../system/file-lock.ts";
import type { DriverContext } from "./driver.ts";

export interface CacheWork {
  /** What the lock protects, the beginning of a sentence: `The machine image`. */
  readonly what: string;
  /** What its holder is here for: `build a machine image`. */
  readonly purpose: string;
  /** The same, told to those who wait for the holder: `builds the same image`. */
  readonly holderDoes: string;
}

/** An image that is built on a busy computer, and then booted there. */
const patienceMs = 40 * 60_000;

/** Throws `machine-busy` when the holder takes too long, or the signal's reason. */
export async function lockCached(context: DriverContext, file: string, work: CacheWork, signal: AbortSignal): Promise<FileLock> {
  const { what, purpose, holderDoes } = work;
  return await lockFile(file, {
    what,
    purpose,
    waitMs: patienceMs,
    signal,
    clock: context.clock,
    onWait: (holder) => logTo(context.report, "info", `Waiting for ${holder}, which ${holderDoes}...`),
  });
}
