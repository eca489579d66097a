/** A team's store in etcd 3.4 and newer: transactions that compare revisions, and leases. */
import { randomBytes } from "node:crypto";
import type { Clock } from "../system/clock.ts";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import type { Question } from "./asking.ts";
import { ledgerBounds, type LedgerBounds } from "./bounds.ts";
import { EtcdApi, EtcdRefusal, grpc } from "./etcd-api.ts";
import { KeptLease, lockLost } from "./kept-lease.ts";
import { tombstoneDays, type Change, type Commit, type Entry, type Ledger, type Lease, type Revision } from "./ledger.ts";
import { storeRefused } from "./ledger-errors.ts";
import { takePages } from "./pages.ts";
import type { TeamLogin, TeamPlace } from "./place.ts";

export interface EtcdLedgerOptions {
  readonly place: Extract<TeamPlace, { engine: "etcd" }>;
  readonly login: TeamLogin;
  readonly clock: Clock;
  readonly bounds?: LedgerBounds | undefined;
}

interface KeyValue {
  readonly key: string;
  readonly value?: string;
  readonly mod_revision: string;
}

interface RangeAnswer {
  readonly header: { readonly revision: string };
  readonly kvs?: readonly KeyValue[];
  readonly more?: boolean;
}

interface TxnAnswer {
  readonly header: { readonly revision: string };
  readonly succeeded?: boolean;
  /** One for each request of the branch that was taken; those of other kinds are of no interest. */
  readonly responses?: readonly { readonly response_range?: RangeAnswer }[];
}

/** Of 64 kB each, so that an answer stays far from what is taken. */
const pageSize = 500;
/** How often a reading is begun anew that history ran away from. */
const mostReads = 3;
/** For as long an answer that was lost can be found. */
const tokenSeconds = 3_600;
const tombstoneSeconds = tombstoneDays * 86_400;

export class EtcdLedger implements Ledger {
  readonly #api: EtcdApi;
  readonly #clock: Clock;
  readonly #keys: Keys;
  /** Leases that nobody renews, by how long they live: for traces. Granted anew at half their time, which a long command outlives. */
  readonly #traces = new Map<number, { readonly id: Promise<string>; readonly askedMs: number }>();

  constructor({ place, login, clock, bounds = ledgerBounds }: EtcdLedgerOptions) {
    this.#api = new EtcdApi({ endpoints: place.endpoints, login, clock, bounds });
    this.#clock = clock;
    this.#keys = new Keys(place.prefix);
  }

  async prepare(signal: AbortSignal): Promise<void> {
    await this.#call<object>("kv/range", { key: this.#keys.live("team") }, "read", signal);
  }

  async read(prefix: string, since: Revision, signal: AbortSignal): Promise<{ revision: Revision; entries: Entry[] }> {
    return await this.#anew(async () => await this.#read(prefix, since, signal));
  }

  async readPages<T>(
    prefix: string,
    take: (page: readonly Entry[]) => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ revision: Revision; taken: T[] }> {
    return await this.#anew(
      async () =>
        await this.#range(
          { key: this.#keys.live(prefix), since: 0, kind: "page" },
          async (page) => await take(page.map((each) => this.#keys.entry(each))),
          signal,
        ),
    );
  }

  async #anew<T>(reading: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await reading();
      } catch (error) {
        // History was dropped between two pages.
        if (!isMachineError(error, "store-refused") || !isCompacted(error.cause) || tries === mostReads) throw error;
      }
    }
  }

  /** By questions that a full etcd answers too: no transaction. */
  async #read(prefix: string, since: Revision, signal: AbortSignal): Promise<{ revision: Revision; entries: Entry[] }> {
    const keys = [this.#keys.live(prefix), ...(since === 0 ? [] : [this.#keys.gone(prefix)])];
    const kind = since === 0 ? "read" : "page";
    const parts = await Promise.all(
      keys.map(async (key) => await this.#range({ key, since, kind }, async (page) => page, signal)),
    );
    // What was changed between the two is told by the next question, whole.
    const revision = Math.min(...parts.map((part) => part.revision));
    const entries = parts.flatMap(({ taken }) => taken.flat().map((each) => this.#keys.entry(each)));
    return { revision, entries: entries.filter((entry) => entry.revision <= revision) };
  }

  /** All pages as they were when the first one was read. @param kind how patiently that one is asked for */
  async #range<T>(
    { key, since, kind }: { readonly key: string; readonly since: Revision; readonly kind: "read" | "page" },
    take: (page: readonly KeyValue[]) => Promise<T>,
    signal: AbortSignal,
  ): Promise<{ revision: Revision; taken: T[] }> {
    const range = { key, range_end: endOfPrefix(key), min_mod_revision: String(since + 1), limit: pageSize };
    const first = await this.#call<RangeAnswer>("kv/range", range, kind, signal);
    const { revision } = first.header;
    const next = ({ more, kvs = [] }: RangeAnswer): Promise<RangeAnswer> | undefined => {
      if (more !== true) return undefined;
      const behind = Buffer.concat([Buffer.from(kvs.at(-1)?.key ?? "", "base64"), Buffer.from([0])]).toString("base64");
      return this.#call<RangeAnswer>("kv/range", { ...range, key: behind, revision }, "page", signal);
    };
    const taken = await takePages(first, next, async ({ kvs = [] }) => await take(kvs));
    return { revision: Number(revision), taken };
  }

  async commit(change: Change, signal: AbortSignal): Promise<Commit> {
    const { token, require, put, remove, look = [] } = change;
    const tokenKey = this.#keys.live(`token/${token}`);
    const [tokenLease, tombstoneLease] = await Promise.all([
      this.#trace(tokenSeconds, signal),
      remove.length === 0 ? "" : this.#trace(tombstoneSeconds, signal),
    ]);
    const compare = [
      { key: tokenKey, target: "MOD", result: "EQUAL", mod_revision: "0" },
      ...require.map(({ key, revision }) => ({
        key: this.#keys.live(key),
        target: "MOD",
        result: "EQUAL",
        mod_revision: String(revision),
      })),
    ];
    const now = Buffer.from(this.#clock.now().toISOString()).toString("base64");
    const looks = this.#ranges(look);
    const success = [
      ...looks,
      { request_put: { key: tokenKey, value: now, lease: tokenLease } },
      ...put.flatMap(({ key, value, lease }) => [
        { request_put: { key: this.#keys.live(key), value: Buffer.from(value).toString("base64"), lease: lease?.id ?? "0" } },
        ...(lease === undefined ? [{ request_delete_range: { key: this.#keys.gone(key) } }] : []),
      ]),
      ...remove.flatMap((key) => [
        { request_delete_range: { key: this.#keys.live(key) } },
        { request_put: { key: this.#keys.gone(key), value: now, lease: tombstoneLease } },
      ]),
    ];
    const failure = [...looks, { request_range: { key: tokenKey } }, ...this.#ranges(require.map(({ key }) => key))];
    const answer = await this.#call<TxnAnswer>("kv/txn", { compare, success, failure }, "write", signal);
    const ranges = (answer.responses ?? []).flatMap(({ response_range: range }) => (range === undefined ? [] : [range]));
    const entries = ranges.map(({ kvs = [] }) => (kvs[0] === undefined ? undefined : this.#keys.entry(kvs[0])));
    const found = entries.slice(0, look.length).filter((entry) => entry !== undefined);
    if (answer.succeeded === true) return { revision: Number(answer.header.revision), found };
    const [done, ...there] = entries.slice(look.length);
    // An answer was lost, and this is the question's repetition.
    if (done !== undefined) return { revision: done.revision, found };
    const stood = require.map(({ key, revision }, index) => {
      const entry = there[index] ?? { key, value: undefined, revision: 0 };
      return { entry, stands: entry.revision === revision };
    });
    return { conflicts: stood.filter(({ stands }) => !stands).map(({ entry }) => entry) };
  }

  #ranges(keys: readonly string[]): object[] {
    return keys.map((key) => ({ request_range: { key: this.#keys.live(key) } }));
  }

  async lease(ttlMs: number, signal: AbortSignal): Promise<Lease> {
    const askedMs = this.#clock.monotonicMs();
    // What is put under it needs this too: asked for meanwhile, it costs no time of its own.
    void this.#trace(tokenSeconds, signal).catch(() => {});
    const id = await this.#grant(Math.ceil(ttlMs / 1_000), signal);
    const renew = async (ended: AbortSignal): Promise<boolean> => {
      const answer = await this.#api.call<{ result?: { TTL?: string } }>(
        "lease/keepalive",
        { ID: id },
        { kind: "write", ms: ttlMs },
        ended,
      );
      return Number(answer.result?.TTL ?? 0) > 0;
    };
    const revoke = async (): Promise<void> => {
      await this.#api.call("lease/revoke", { ID: id }, { kind: "read" }, new AbortController().signal);
    };
    return new KeptLease({ id, ttlMs, clock: this.#clock, askedMs, renew, revoke });
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  async #trace(seconds: number, signal: AbortSignal): Promise<string> {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#traces.get(seconds);
    const isGood = known !== undefined && nowMs - known.askedMs < (seconds * 1_000) / 2;
    const trace = isGood ? known : { id: this.#grant(seconds, signal), askedMs: nowMs };
    this.#traces.set(seconds, trace);
    return await trace.id.catch((error: unknown) => {
      if (this.#traces.get(seconds) === trace) this.#traces.delete(seconds);
      throw error;
    });
  }

  /** Its number is ours, so that asked twice it is granted once. */
  async #grant(seconds: number, signal: AbortSignal): Promise<string> {
    const id = String(randomBytes(8).readBigUInt64BE() >> 2n);
    try {
      await this.#call("lease/grant", { ID: id, TTL: String(seconds) }, "write", signal);
    } catch (error) {
      if (!(error instanceof MachineError && /lease already exists/u.test(error.message))) throw error;
    }
    return id;
  }

  async #call<T>(path: string, body: object, kind: Question<T>["kind"], signal: AbortSignal): Promise<T> {
    try {
      return await this.#api.call<T>(path, body, { kind }, signal);
    } catch (error) {
      if (!(error instanceof EtcdRefusal)) throw error;
      if (error.grpcCode === grpc.notFound && /lease/u.test(error.message)) throw lockLost();
      throw storeRefused(error.message, error);
    }
  }
}

function isCompacted(error: unknown): boolean {
  return error instanceof EtcdRefusal && error.grpcCode === grpc.outOfRange && /compacted/u.test(error.message);
}

/** Names of keys, in base64: what stands and what was removed lie apart. */
class Keys {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  live(key: string): string {
    return Buffer.from(`${this.#prefix}is/${key}`).toString("base64");
  }

  gone(key: string): string {
    return Buffer.from(`${this.#prefix}was/${key}`).toString("base64");
  }

  entry({ key, value = "", mod_revision: revision }: KeyValue): Entry {
    const [, state, name = ""] =
      /^(is|was)\/(.*)$/su.exec(Buffer.from(key, "base64").toString().slice(this.#prefix.length)) ?? [];
    const isThere = state === "is";
    return { key: name, value: isThere ? Buffer.from(value, "base64").toString() : undefined, revision: Number(revision) };
  }
}

/** The first key behind all that begin so. */
function endOfPrefix(key: string): string {
  const bytes = Buffer.from(key, "base64");
  // The prefixes are text: none ends with 0xff.
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + 1;
  return bytes.toString("base64");
}
