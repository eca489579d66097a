/** What every ledger must do: the same cases for each engine. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import type { Change, Commit, Entry, Ledger, Revision } from "../ledger.ts";

export interface LedgerUnderTest {
  /** Another person's ledger at the same place. All of a case's places are its own. */
  readonly open: () => Promise<Ledger>;
  /** Lets time pass, by the database's clock. */
  readonly pass: (ms: number) => Promise<void>;
}

const never = new AbortController().signal;
/** The shortest that etcd grants. */
const shortMs = 2_000;

function change(parts: Partial<Change>): Change {
  return { token: crypto.randomUUID(), require: [], put: [], remove: [], ...parts };
}

async function done(commit: Promise<Commit>): Promise<Revision> {
  const answer = await commit;
  assert.ok("revision" in answer, JSON.stringify(answer));
  return answer.revision;
}

async function refused(commit: Promise<Commit>): Promise<readonly string[]> {
  const answer = await commit;
  assert.ok("conflicts" in answer, JSON.stringify(answer));
  return answer.conflicts.map(({ key, value, revision }) => `${key}=${value ?? "-"}@${revision === 0 ? 0 : "n"}`);
}

function sorted(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((left, right) => (left.key < right.key ? -1 : 1));
}

/** `open` gives a place that nobody has used, for each case. */
export function describeLedgerContract(name: string, open: () => Promise<LedgerUnderTest>, skip: string | false = false): void {
  const cases: Record<string, (ledger: Ledger, place: LedgerUnderTest) => Promise<void>> = {
    "what was put is read, by its prefix alone": async (ledger) => {
      const first = await done(ledger.commit(change({ put: [{ key: "m/web", value: "über 1" }] }), never));
      const second = await done(ledger.commit(change({ put: [{ key: "n/db", value: "2" }] }), never));
      assert.ok(second > first);
      const { revision, entries } = await ledger.read("m/", 0, never);
      assert.ok(revision >= second);
      assert.deepEqual(entries, [{ key: "m/web", value: "über 1", revision: first }]);
    },

    "what has changed since is read, what was removed too, each key once": async (ledger) => {
      const put = (key: string, value: string): Change => change({ put: [{ key, value }] });
      for (const key of ["m/a", "m/b", "m/c"]) await done(ledger.commit(put(key, "1"), never));
      const { revision: since } = await ledger.read("m/", 0, never);
      assert.deepEqual((await ledger.read("m/", since, never)).entries, []);
      await done(ledger.commit(put("m/b", "2"), never));
      await done(ledger.commit(put("m/b", "3"), never));
      await done(ledger.commit(change({ remove: ["m/c"] }), never));
      const { entries, revision } = await ledger.read("m/", since, never);
      assert.deepEqual(entries.map(({ key, value }) => `${key}=${value ?? "-"}`).toSorted(), ["m/b=3", "m/c=-"]);
      await done(ledger.commit(put("m/c", "again"), never));
      assert.deepEqual(
        (await ledger.read("m/", revision, never)).entries.map(({ value }) => value),
        ["again"],
      );
      assert.equal((await ledger.read("m/", 0, never)).entries.length, 3);
    },

    "all of a change is made, or nothing, and what stood in its way is told": async (ledger) => {
      const web = await done(
        ledger.commit(change({ require: [{ key: "m/web", revision: 0 }], put: [{ key: "m/web", value: "1" }] }), never),
      );
      const creating = change({ require: [{ key: "m/web", revision: 0 }], put: [{ key: "m/db", value: "1" }] });
      assert.deepEqual(await refused(ledger.commit(creating, never)), ["m/web=1@n"]);
      await done(ledger.commit(change({ require: [{ key: "m/web", revision: web }], remove: ["m/web"] }), never));
      const stale = change({ require: [{ key: "m/web", revision: web }], remove: ["m/other"] });
      assert.deepEqual(await refused(ledger.commit(stale, never)), ["m/web=-@0"]);
      assert.deepEqual((await ledger.read("m/", 0, never)).entries, []);
      await done(ledger.commit(creating, never));
    },

    "a change is made once, however often it is asked for": async (ledger, place) => {
      await using other = await place.open();
      const once = change({ require: [{ key: "m/web", revision: 0 }], put: [{ key: "m/web", value: "1" }] });
      const revision = await done(ledger.commit(once, never));
      assert.equal(await done(ledger.commit(once, never)), revision);
      await done(other.commit(change({ put: [{ key: "m/web", value: "2" }] }), never));
      assert.equal(await done(other.commit(once, never)), revision);
      assert.deepEqual(
        (await ledger.read("m/", 0, never)).entries.map(({ value }) => value),
        ["2"],
      );
    },

    "what is looked at with a change is as it stood before": async (ledger) => {
      const [web, quoted] = ["m/web", `m/'; drop "x" $1 $q$ \\`];
      const first = await done(ledger.commit(change({ put: [{ key: web, value: "1" }] }), never));
      const look = [web, quoted, "m/none"];
      const second = change({ put: [{ key: quoted, value: `it's "2" \\ $$` }], look });
      const answer = await ledger.commit(second, never);
      assert.ok("revision" in answer);
      assert.deepEqual(answer.found, [{ key: web, value: "1", revision: first }], "as it stood before");
      const quotedNow = { key: quoted, value: `it's "2" \\ $$`, revision: answer.revision };
      const removing = await ledger.commit(change({ remove: [web], look }), never);
      assert.ok("found" in removing);
      assert.deepEqual(sorted(removing.found), sorted([{ key: web, value: "1", revision: first }, quotedNow]));
    },

    "of many who create one key at once exactly one wins, and of many who count nothing is lost": async (ledger, place) => {
      const writers = await Promise.all(Array.from({ length: 8 }, async () => await place.open()));
      const creating = writers.map(
        async (writer, index) =>
          await writer.commit(
            change({ require: [{ key: "n", revision: 0 }], put: [{ key: "n", value: `0 by ${index}` }] }),
            never,
          ),
      );
      assert.equal((await Promise.all(creating)).filter((answer) => "revision" in answer).length, 1);
      const count = async (writer: Ledger): Promise<void> => {
        for (let counted = 0; counted < 5;) {
          const [entry] = (await writer.read("n", 0, never)).entries;
          const value = String(Number.parseInt(entry?.value ?? "", 10) + 1);
          const require = [{ key: "n", revision: entry?.revision ?? 0 }];
          if ("revision" in (await writer.commit(change({ require, put: [{ key: "n", value }] }), never))) counted += 1;
        }
      };
      await Promise.all(writers.map(count));
      assert.equal((await ledger.read("n", 0, never)).entries[0]?.value, "40");
      for (const writer of writers) await writer[Symbol.asyncDispose]();
    },

    "a page is no end": async (ledger) => {
      const keys = Array.from({ length: 1_100 }, (_, index) => `m/${String(index).padStart(4, "0")}`);
      for (let at = 0; at < keys.length; at += 55) {
        const put = keys.slice(at, at + 55).map((key) => ({ key, value: key }));
        await done(ledger.commit(change({ put }), never));
      }
      const { entries } = await ledger.read("m/", 0, never);
      assert.deepEqual(entries.map(({ key }) => key).toSorted(), keys);
      const pages = await ledger.readPages("m/", async (page) => page.map(({ key }) => key), never);
      assert.deepEqual(pages.taken.flat(), keys);
    },

    "what is under a lease is gone with it, at once where it is given back": async (ledger, place) => {
      await using other = await place.open();
      const lease = await ledger.lease(shortMs, never);
      const lock = change({ require: [{ key: "lock/web", revision: 0 }], put: [{ key: "lock/web", value: "alice", lease }] });
      await done(ledger.commit(lock, never));
      const theirs = await other.lease(shortMs, never);
      const taking = (): Change => ({
        ...lock,
        token: crypto.randomUUID(),
        put: [{ key: "lock/web", value: "bob", lease: theirs }],
      });
      assert.deepEqual(await refused(other.commit(taking(), never)), ["lock/web=alice@n"]);
      await lease.release();
      assert.equal(lease.lost.aborted, false);
      await done(other.commit(taking(), never));
      await theirs.release();
      assert.deepEqual((await ledger.read("lock/", 0, never)).entries, []);
    },

    "a lease is renewed for as long as it is held": async (ledger, place) => {
      const lease = await ledger.lease(shortMs, never);
      const fence = await done(ledger.commit(change({ put: [{ key: "lock/web", value: "alice", lease }] }), never));
      await place.pass(2 * shortMs);
      assert.equal(lease.lost.aborted, false);
      const fenced = change({ require: [{ key: "lock/web", revision: fence }], put: [{ key: "m/web", value: "1" }] });
      await done(ledger.commit(fenced, never));
      await lease.release();
      assert.deepEqual(await refused(ledger.commit({ ...fenced, token: crypto.randomUUID() }, never)), ["lock/web=-@0"]);
    },

    "nothing is put under a lease that has ended": async (ledger) => {
      const lease = await ledger.lease(shortMs, never);
      await lease.release();
      const put = [{ key: "lock/web", value: "alice", lease }];
      await assert.rejects(ledger.commit(change({ put }), never), (error) => isMachineError(error, "lock-lost"));
    },

    "what a signal ends says why": async (ledger) => {
      const reason = new Error("stop");
      await assert.rejects(ledger.read("m/", 0, AbortSignal.abort(reason)), reason);
    },
  };
  for (const [title, run] of Object.entries(cases))
    test(`${name}: ${title}`, { skip }, async () => {
      const place = await open();
      await using ledger = await place.open();
      await ledger.prepare(never);
      await run(ledger, place);
    });
}
