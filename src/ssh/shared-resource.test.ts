import assert from "node:assert/strict";
import { test } from "node:test";
import { SharedResource } from "./shared-resource.ts";

interface Thing {
  readonly number: number;
  alive: boolean;
  closed: number;
}

function factory(failFirst = 0): {
  readonly shared: SharedResource<Thing>;
  readonly made: Thing[];
  readonly attempts: () => number;
} {
  const made: Thing[] = [];
  let attempts = 0;
  const shared = new SharedResource<Thing>({
    open: async () => {
      attempts += 1;
      await Promise.resolve();
      if (attempts <= failFirst) throw new Error(`attempt ${attempts}`);
      const thing = { number: made.length, alive: true, closed: 0 };
      made.push(thing);
      return thing;
    },
    isAlive: async (thing) => thing.alive,
    close: async (thing) => void (thing.closed += 1),
  });
  return { shared, made, attempts: () => attempts };
}

test("those who come together share one", async () => {
  const { shared, made } = factory();
  const things = await Promise.all([shared.get(), shared.get(), shared.get()]);
  assert.equal(made.length, 1);
  assert.equal(new Set(things).size, 1);
});

test("a dead one is closed and replaced once, however many find it dead", async () => {
  const { shared, made } = factory();
  (await shared.get()).alive = false;
  const things = await Promise.all([shared.get(), shared.get(), shared.get()]);
  assert.deepEqual(
    things.map((thing) => thing.number),
    [1, 1, 1],
  );
  assert.equal(made[0]?.closed, 1);
});

test("all who wait get the failure, and the next one tries again", async () => {
  const { shared, attempts } = factory(1);
  const results = await Promise.allSettled([shared.get(), shared.get()]);
  assert.deepEqual(
    results.map((result) => result.status),
    ["rejected", "rejected"],
  );
  assert.equal(attempts(), 1);
  assert.equal((await shared.get()).number, 0);
});

test("one that dies at once is handed out, not reopened for ever", async () => {
  const { shared, attempts } = factory();
  const thing = await shared.get();
  thing.alive = false;
  assert.equal((await shared.get()).number, 1);
  assert.equal(attempts(), 2);
});

test("closing before anything was opened does nothing", async () => {
  const { shared, attempts } = factory();
  await shared.close();
  assert.equal(attempts(), 0);
});
