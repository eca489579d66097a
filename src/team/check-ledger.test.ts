import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLedger } from "./check-ledger.ts";
import type { Change, Commit, Ledger } from "./ledger.ts";
import { MemoryDatabase, MemoryLedger } from "./memory-ledger.ts";

const never = new AbortController().signal;

/** @param bend what becomes of a change before it is made, and of its answer */
function lying(bend: { readonly change?: (change: Change) => Change; readonly answer?: (commit: Commit) => Commit }): Ledger {
  const honest = new MemoryLedger(new MemoryDatabase());
  return {
    prepare: async (signal) => await honest.prepare(signal),
    read: async (prefix, since, signal) => await honest.read(prefix, since, signal),
    readPages: async (prefix, take, signal) => await honest.readPages(prefix, take, signal),
    commit: async (change, signal) => {
      const commit = await honest.commit(bend.change?.(change) ?? change, signal);
      return bend.answer?.(commit) ?? commit;
    },
    lease: async (ttlMs, signal) => await honest.lease(ttlMs, signal),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function failed(ledger: Ledger): Promise<string[]> {
  return (await checkLedger(ledger, never)).filter(({ passed }) => !passed).map(({ what }) => what);
}

test("an honest database passes, and keeps nothing of it", async () => {
  const database = new MemoryDatabase();
  assert.deepEqual(await failed(new MemoryLedger(database)), []);
  assert.deepEqual(database.read("", 0), []);
});

test("one that ignores conditions fails in all that hangs on them", async () => {
  const ignores = lying({ change: (change) => ({ ...change, require: [] }) });
  assert.deepEqual((await failed(ignores)).length, 5);
});

test("one that honours only that something is new is found out", async () => {
  const halfHonest = lying({
    change: (change) => ({ ...change, require: change.require.filter(({ revision }) => revision === 0) }),
  });
  assert.deepEqual(await failed(halfHonest), [
    "what has changed is not overwritten by who has not seen that",
    "nor removed",
    "who had it changes nothing afterwards",
  ]);
});

test("one that says it did what it refused is found out", async () => {
  const boasts = lying({ answer: (commit) => ("conflicts" in commit ? { revision: 1, found: [] } : commit) });
  assert.equal((await failed(boasts)).length, 5);
});
