import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "./fake-clock.ts";

describe("FakeClock", () => {
  it("wakes sleepers in the order of their times, also those who sleep again", async () => {
    const clock = new FakeClock();
    const woken: string[] = [];
    const doze = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      woken.push(`${name} ${clock.monotonicMs()}`);
    };
    void doze("late", 30);
    void doze("early", 10).then(() => doze("again", 10));
    await clock.advance(25);
    assert.deepEqual(woken, ["early 10", "again 20"]);
    await clock.advance(5);
    assert.deepEqual(woken, ["early 10", "again 20", "late 30"]);
    assert.equal(clock.now().toISOString(), "2026-01-02T03:04:05.030Z");
  });

  it("rejects a sleep with the signal's reason", async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const sleeping = clock.sleep(10, stop.signal);
    stop.abort(new Error("enough"));
    await assert.rejects(sleeping, /enough/u);
    await assert.rejects(clock.sleep(1, stop.signal), /enough/u);
  });
});
