import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../system/fake-clock.ts";
import { RequestRate } from "./request-rate.ts";

const never = new AbortController().signal;

/** When each of many turns was given, in seconds. */
async function turnsOf(count: number, clock: FakeClock, rate: RequestRate): Promise<number[]> {
  const given: number[] = [];
  const begun = clock.monotonicMs();
  const turns = Array.from({ length: count }, async () => {
    await rate.turn(never);
    given.push((clock.monotonicMs() - begun) / 1_000);
  });
  for (let step = 0; step < count * 10; step += 1) await clock.advance(100);
  await Promise.all(turns);
  return given;
}

test("as many as fit go at once, the others as fast as the bucket is refilled", async () => {
  const clock = new FakeClock();
  const rate = new RequestRate({ burst: 3, perSecond: 2 }, clock);
  assert.deepEqual(await turnsOf(6, clock, rate), [0, 0, 0, 0.5, 1, 1.5]);
  await clock.advance(60_000);
  assert.deepEqual(await turnsOf(4, clock, rate), [0, 0, 0, 0.5], "no more than the burst is saved up");
});

test("who gives up holds nobody up, and takes nobody's turn", async () => {
  const clock = new FakeClock();
  const rate = new RequestRate({ burst: 1, perSecond: 1 }, clock);
  await rate.turn(never);
  const stop = new AbortController();
  const given = rate.turn(stop.signal);
  const next = rate.turn(never);
  stop.abort(new Error("enough"));
  await assert.rejects(given, /enough/u);
  await clock.advance(1_000);
  await next;
});
