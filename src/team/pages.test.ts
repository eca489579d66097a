import assert from "node:assert/strict";
import { test } from "node:test";
import { takePages } from "./pages.ts";

test("the next page is asked for before one is taken, and they are taken in order, one at a time", async () => {
  const seen: string[] = [];
  const next = (page: number): Promise<number> | undefined => {
    if (page === 3) return undefined;
    seen.push(`ask ${page + 1}`);
    return Promise.resolve(page + 1);
  };
  const take = async (page: number): Promise<number> => {
    seen.push(`take ${page}`);
    await new Promise(setImmediate);
    seen.push(`taken ${page}`);
    return page * 10;
  };
  assert.deepEqual(await takePages(1, next, take), [10, 20, 30]);
  assert.deepEqual(seen, ["ask 2", "take 1", "taken 1", "ask 3", "take 2", "taken 2", "take 3", "taken 3"]);
});

test("a page that does not come is told after the one before it was taken", async () => {
  const taken: number[] = [];
  const missing = new Error("away");
  await assert.rejects(
    takePages(
      1,
      async () => await Promise.reject(missing),
      async (page) => {
        await new Promise(setImmediate);
        taken.push(page);
      },
    ),
    missing,
  );
  assert.deepEqual(taken, [1]);
});
