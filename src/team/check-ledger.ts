/**
 * Whether a database keeps what a ledger promises, tried on keys of its own: a half-honest one passes what is obvious, so
 * each promise that locks and fences hang on is put to the test.
 */
import { isMachineError } from "../errors/machine-error.ts";
import type { Change, Ledger } from "./ledger.ts";

export interface Probe {
  /** What was tried, a sentence without its end. */
  readonly what: string;
  readonly passed: boolean;
}

const ttlMs = 5_000;

/** Throws `store-unreachable`, `store-refused`. Leaves nothing but tombstones. */
export async function checkLedger(ledger: Ledger, signal: AbortSignal): Promise<Probe[]> {
  const prefix = `check/${crypto.randomUUID()}/`;
  const commit = async (parts: Partial<Change>): Promise<number | undefined> => {
    const done = await ledger.commit({ token: crypto.randomUUID(), require: [], put: [], remove: [], ...parts }, signal);
    return "revision" in done ? done.revision : undefined;
  };
  const read = async (key: string): Promise<string | undefined> => (await ledger.read(key, 0, signal)).entries[0]?.value;
  const key = `${prefix}value`;
  const lockKey = `${prefix}lock`;
  const probes: Probe[] = [];
  const probe = (what: string, passed: boolean): void => void probes.push({ what, passed });

  const first = await commit({ require: [{ key, revision: 0 }], put: [{ key, value: "1" }] });
  const again = await commit({ require: [{ key, revision: 0 }], put: [{ key, value: "2" }] });
  probe("what exists is not created a second time", first !== undefined && again === undefined && (await read(key)) === "1");

  const second = await commit({ put: [{ key, value: "3" }] });
  const stale = await commit({ require: [{ key, revision: first ?? 0 }], put: [{ key, value: "4" }] });
  const [isKept, isNewer] = [(await read(key)) === "3", second !== undefined && second > (first ?? 0)];
  probe("what has changed is not overwritten by who has not seen that", stale === undefined && isKept && isNewer);

  const doomed = await commit({ require: [{ key, revision: first ?? 0 }], remove: [key] });
  probe("nor removed", doomed === undefined && (await read(key)) === "3");

  const [mine, theirs] = [await ledger.lease(ttlMs, signal), await ledger.lease(ttlMs, signal)];
  const taken = await commit({ require: [{ key: lockKey, revision: 0 }], put: [{ key: lockKey, value: "mine", lease: mine }] });
  const other = await commit({
    require: [{ key: lockKey, revision: 0 }],
    put: [{ key: lockKey, value: "theirs", lease: theirs }],
  });
  probe("a lock has one holder", taken !== undefined && other === undefined && (await read(lockKey)) === "mine");

  await mine.release();
  const isGone = (await read(lockKey)) === undefined;
  const fenced = await commit({ require: [{ key: lockKey, revision: taken ?? 0 }], put: [{ key, value: "5" }] });
  probe("who had it changes nothing afterwards", isGone && fenced === undefined && (await read(key)) === "3");

  const put = [{ key: lockKey, value: "mine", lease: mine }];
  const late = await commit({ put }).then(
    (done) => done === undefined,
    (error: unknown) => {
      if (isMachineError(error, "lock-lost")) return true;
      throw error;
    },
  );
  probe("nor is anything kept under a lease that has ended", late);
  await theirs.release();
  await commit({ remove: [key, lockKey] });
  return probes;
}
