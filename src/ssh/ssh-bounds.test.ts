import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../system/fake-clock.ts";
import { Bound } from "./ssh-bounds.ts";

test("a bound aborts when its time is up, or as the first of its signals does", async () => {
  const clock = new FakeClock();
  using late = new Bound(clock, 1_000, () => new Error("late"), new AbortController().signal);
  await clock.advance(999);
  assert.equal(late.signal.aborted, false);
  await clock.advance(1);
  assert.deepEqual(late.signal.reason, new Error("late"));

  const stop = new AbortController();
  using stopped = new Bound(clock, undefined, () => new Error("late"), undefined, stop.signal);
  stop.abort(new Error("stop"));
  assert.deepEqual(stopped.signal.reason, new Error("stop"));
});

test("a bound that is released never aborts", async () => {
  const clock = new FakeClock();
  const bound = new Bound(clock, 1_000, () => new Error("late"));
  bound[Symbol.dispose]();
  await clock.advance(2_000);
  assert.equal(bound.signal.aborted, false);
});
