/** A team's database in memory, for tests: what databases do, without one. */
import { systemClock, type Clock } from "../system/clock.ts";
import { KeptLease, lockLost } from "./kept-lease.ts";
import type { Change, Commit, Entry, Ledger, Lease, Revision } from "./ledger.ts";

interface Stored extends Entry {
  readonly lease: string | undefined;
}

/** What several ledgers share. */
export class MemoryDatabase {
  readonly clock: Clock;
  /** Thrown by whatever is asked, while it is set: nobody answers. */
  failure: unknown;
  revision: Revision = 0;
  readonly #entries = new Map<string, Stored>();
  readonly #tokens = new Map<string, Revision>();
  /** By id, when they end, by the clock. */
  readonly #leases = new Map<string, number>();

  constructor(clock: Clock = systemClock) {
    this.clock = clock;
  }

  read(prefix: string, since: Revision): Entry[] {
    this.#expire();
    const isAsked = ({ key, revision, value }: Stored): boolean =>
      key.startsWith(prefix) && revision > since && (since > 0 || value !== undefined);
    return [...this.#entries.values()].filter(isAsked).map(({ key, value, revision }) => ({ key, value, revision }));
  }

  commit({ token, require, put, remove, look = [] }: Change): Commit {
    this.#expire();
    const found = look.map((key) => this.#find(key)).filter(({ value }) => value !== undefined);
    const known = this.#tokens.get(token);
    if (known !== undefined) return { revision: known, found };
    const conflicts = require
      .map(({ key, revision }) => ({ revision, there: this.#find(key) }))
      .filter(({ revision, there }) => there.revision !== revision)
      .map(({ there }) => there);
    if (conflicts.length > 0) return { conflicts };
    if (put.some(({ lease }) => lease !== undefined && !this.#leases.has(lease.id))) throw lockLost();
    const revision = (this.revision += 1);
    for (const { key, value, lease } of put) this.#entries.set(key, { key, value, revision, lease: lease?.id });
    for (const key of remove)
      if (this.#find(key).revision > 0) this.#entries.set(key, { key, value: undefined, revision, lease: undefined });
    this.#tokens.set(token, revision);
    return { revision, found };
  }

  renew(id: string, ttlMs: number): boolean {
    this.#expire();
    if (!this.#leases.has(id)) return false;
    this.#leases.set(id, this.clock.monotonicMs() + ttlMs);
    return true;
  }

  grant(id: string, ttlMs: number): void {
    this.#leases.set(id, this.clock.monotonicMs() + ttlMs);
  }

  end(id: string): void {
    this.#leases.delete(id);
    for (const { key, lease } of this.#entries.values()) if (lease === id) this.#entries.delete(key);
  }

  /** As time that passed here and not at the holders. */
  expireAll(): void {
    for (const id of this.#leases.keys()) this.end(id);
  }

  #find(key: string): Entry {
    const found = this.#entries.get(key);
    if (found?.value === undefined) return { key, value: undefined, revision: 0 };
    return { key, value: found.value, revision: found.revision };
  }

  #expire(): void {
    for (const [id, endsMs] of this.#leases) if (endsMs <= this.clock.monotonicMs()) this.end(id);
  }
}

export class MemoryLedger implements Ledger {
  readonly #database: MemoryDatabase;

  constructor(database: MemoryDatabase) {
    this.#database = database;
  }

  async prepare(signal: AbortSignal): Promise<void> {
    this.#asked(signal);
  }

  async read(prefix: string, since: Revision, signal: AbortSignal): Promise<{ revision: Revision; entries: Entry[] }> {
    const database = this.#asked(signal);
    return { revision: database.revision, entries: database.read(prefix, since) };
  }

  async readPages<T>(
    prefix: string,
    take: (page: readonly Entry[]) => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ revision: Revision; taken: T[] }> {
    const { revision, entries } = await this.read(prefix, 0, signal);
    return { revision, taken: [await take(entries)] };
  }

  async commit(change: Change, signal: AbortSignal): Promise<Commit> {
    return this.#asked(signal).commit(change);
  }

  async lease(ttlMs: number, signal: AbortSignal): Promise<Lease> {
    const database = this.#asked(signal);
    const id = crypto.randomUUID();
    const { clock } = database;
    database.grant(id, ttlMs);
    const renew = async (ended: AbortSignal): Promise<boolean> => this.#asked(ended).renew(id, ttlMs);
    const revoke = async (): Promise<void> => this.#database.end(id);
    return new KeptLease({ id, ttlMs, clock, askedMs: clock.monotonicMs(), renew, revoke });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #asked(signal: AbortSignal): MemoryDatabase {
    signal.throwIfAborted();
    if (this.#database.failure !== undefined) throw this.#database.failure;
    return this.#database;
  }
}
