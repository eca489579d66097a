/** Locks that computers share: a key under a lease, which says who has it. */
import { MachineError } from "../errors/machine-error.ts";
import { waitForLock } from "../system/file-lock.ts";
import type { LockRequest } from "../store/store.ts";
import { lockTtlMs } from "./bounds.ts";
import type { Entry, Ledger } from "./ledger.ts";
import type { TeamContext } from "./team-context.ts";
import { loggedCommand } from "./team-log.ts";
import { lockPrefix, type Fence } from "./team-ledger.ts";

export interface Holder {
  /** `alice@laptop` */
  readonly by: string;
  /** `create web` */
  readonly purpose: string;
  /** ISO 8601. */
  readonly since: string;
}

/** A lock that was taken, with what it protects as it stood then. */
export interface TakenLock extends Fence {
  readonly found: Entry | undefined;
}

/** @param key of what it protects. @param machine whose it is, for the log. Throws `machine-busy` naming the holder, `store-unreachable`. The caller releases the lease. */
export async function takeLock(
  context: Pick<TeamContext, "by" | "clock">,
  ledger: Ledger,
  { key, what, machine = "" }: { readonly key: string; readonly what: string; readonly machine?: string | undefined },
  request: LockRequest,
): Promise<TakenLock> {
  const signal = request.signal ?? new AbortController().signal;
  const { by, clock } = context;
  const lease = await ledger.lease(lockTtlMs, signal);
  const lockKey = `${lockPrefix}${key}`;
  let holder = "somebody else";
  const attempt = async (): Promise<TakenLock | undefined> => {
    const value: Holder = { by, purpose: request.purpose, since: clock.now().toISOString() };
    const commit = await ledger.commit(
      {
        token: crypto.randomUUID(),
        require: [{ key: lockKey, revision: 0 }],
        put: [{ key: lockKey, value: JSON.stringify(value), lease }],
        remove: [],
        look: [key],
      },
      signal,
    );
    const log = loggedCommand(clock.now(), request.purpose, machine);
    if ("revision" in commit) return { key: lockKey, revision: commit.revision, lease, log, found: commit.found[0] };
    holder = described(commit.conflicts[0]?.value) ?? holder;
    return undefined;
  };
  try {
    return await waitForLock(attempt, async () => holder, { what, clock, ...request });
  } catch (error) {
    await lease.release();
    throw error;
  }
}

function described(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const { by, purpose, since } = JSON.parse(value) as Partial<Holder>;
  if (by === undefined || purpose === undefined || since === undefined)
    throw new MachineError("store-refused", "A lock in the team's store was made by no version of docker-machine");
  return `docker-machine ${purpose} (${by}, since ${since})`;
}
