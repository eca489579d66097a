/**
 * What a team's store needs of a database that others run: keys that change together or not at all, a lock that dies with
 * its holder, and what has changed since. `EtcdLedger`, `PostgresLedger`, `MemoryLedger`; one contract suite holds them.
 *
 * All throw `store-unreachable` where nobody answers in time, `store-refused` where the database will not, and the signal's
 * reason.
 */

/** Grows with each change that anybody makes. 0 is before the first one, and the revision of what is not there. */
export type Revision = number;

export interface Entry {
  readonly key: string;
  /** Undefined: it was removed, which is told for {@link tombstoneDays}. */
  readonly value: string | undefined;
  /** Of its last change. */
  readonly revision: Revision;
}

/** Whoever has not looked for so long reads everything anew. */
export const tombstoneDays = 7;

/** The key stands as it was at this revision; 0: it is not there. */
export interface Condition {
  readonly key: string;
  readonly revision: Revision;
}

export interface Put {
  readonly key: string;
  readonly value: string;
  /** The key is gone with it, and leaves no trace. */
  readonly lease?: Lease | undefined;
}

export interface Change {
  /** Its own, a UUID: by this it is known again when its answer was lost. */
  readonly token: string;
  readonly require: readonly Condition[];
  readonly put: readonly Put[];
  /** Keys; one that is not there is no error. */
  readonly remove: readonly string[];
  /** Keys that are read with it, as they stand before it: a question that would follow is saved. */
  readonly look?: readonly string[] | undefined;
}

/**
 * All was done, at a revision, and what was looked at was as `found`, without what was not there (after a lost answer: as it
 * is by then); or nothing, and those of the required keys that stand otherwise are as told.
 */
export type Commit = { readonly revision: Revision; readonly found: readonly Entry[] } | { readonly conflicts: readonly Entry[] };

/** Lives for as long as it is renewed, which it sees to itself. */
export interface Lease {
  readonly id: string;
  /** Aborted, with `lock-lost`, when the database says so or can have ended it: counted from the last renewal that was sent. */
  readonly lost: AbortSignal;
  /** Ends it, and what was put under it is gone. Never throws: it ends by itself. */
  release(): Promise<void>;
}

export interface Ledger extends AsyncDisposable {
  /** Makes what the database needs before anything else; succeeds where it is there. */
  prepare(signal: AbortSignal): Promise<void>;
  /** What under a prefix has changed after `since`, each key as it stands last; since 0 everything that is there. */
  read(prefix: string, since: Revision, signal: AbortSignal): Promise<{ readonly revision: Revision; readonly entries: Entry[] }>;
  /**
   * What is there under a prefix, for what need not be in memory at once: `take` gets a page at a time, in the order of keys,
   * while the next one is asked for. Gives what it made of each. Where reading has to begin anew, it gets them again.
   */
  readPages<T>(
    prefix: string,
    take: (page: readonly Entry[]) => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ readonly revision: Revision; readonly taken: readonly T[] }>;
  /** Once for each token, however often it is asked. Throws `lock-lost` where something was to be put under a lease that is gone. */
  commit(change: Change, signal: AbortSignal): Promise<Commit>;
  /** @param ttlMs how long it lives without being renewed; at least 2 s */
  lease(ttlMs: number, signal: AbortSignal): Promise<Lease>;
}
