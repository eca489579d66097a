/** Lets the time of a test's own clock pass while something works, so that what waits in it goes on. */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../system/clock.ts";
import { FakeClock } from "../system/fake-clock.ts";

/** Of fake time for each millisecond or so: pauses pass at once, and bounds on what is really at work stay far. */
const stepMs = 500;

/** What the work comes to. A real clock passes by itself. */
export async function whileTimePasses<T>(clock: Clock, work: () => Promise<T>): Promise<T> {
  if (!(clock instanceof FakeClock)) return await work();
  const ended = new AbortController();
  const passing = (async () => {
    while (!ended.signal.aborted) {
      await clock.advance(stepMs);
      await delay(1);
    }
  })();
  try {
    return await work();
  } finally {
    ended.abort();
    await passing;
  }
}
