import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../system/fake-clock.ts";
import { ProcessSlots } from "./process-slots.ts";

const settle = (): Promise<void> => new Promise(setImmediate);

test("who comes when all slots are taken waits for its turn", async () => {
  const slots = new ProcessSlots(2, 1000);
  const clock = new FakeClock();
  const order: string[] = [];
  const first = await slots.take(clock);
  await slots.take(clock);
  void slots.take(clock).then(() => order.push("third"));
  void slots.take(clock).then(() => order.push("fourth"));
  await settle();
  assert.deepEqual(order, []);
  first();
  first();
  await settle();
  assert.deepEqual(order, ["third"]);
});

test("who has waited too long goes ahead, and the slots are as many as before afterwards", async () => {
  const slots = new ProcessSlots(1, 1000);
  const clock = new FakeClock();
  const first = await slots.take(clock);
  const late = slots.take(clock);
  await clock.advance(1000);
  const second = await late;
  let third = false;
  void slots.take(clock).then(() => (third = true));
  second();
  await settle();
  assert.equal(third, false);
  first();
  await settle();
  assert.equal(third, true);
});

test("who gives up waiting takes no slot", async () => {
  const slots = new ProcessSlots(1, 1000);
  const clock = new FakeClock();
  const first = await slots.take(clock);
  const giveUp = new AbortController();
  const given = slots.take(clock, giveUp.signal);
  giveUp.abort(new Error("no more"));
  await assert.rejects(given, /no more/u);
  first();
  await slots.take(clock);
});
