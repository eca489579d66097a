import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../system/fake-clock.ts";
import { KeptLease } from "./kept-lease.ts";

function leaseOn(clock: FakeClock, renew: (signal: AbortSignal) => Promise<boolean>): KeptLease {
  return new KeptLease({ id: "1", ttlMs: 15_000, clock, askedMs: clock.monotonicMs(), renew, revoke: async () => {} });
}

test("a lease that nobody answers for is lost when it can have ended, not before", async () => {
  const clock = new FakeClock();
  const lease = leaseOn(clock, async () => await Promise.reject(new Error("no answer")));
  await clock.advance(14_900);
  assert.equal(lease.lost.aborted, false);
  await clock.advance(200);
  assert.equal((lease.lost.reason as { code: string }).code, "lock-lost");
});

test("a renewal counts from when it was sent, and one without an answer does not count", async () => {
  const clock = new FakeClock();
  let renewals = 0;
  const lease = leaseOn(clock, async (signal) => {
    renewals += 1;
    if (renewals === 1) {
      await clock.sleep(4_000, signal);
      return true;
    }
    return await new Promise<boolean>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
  });
  // Sent at 5 s, answered at 9 s.
  await clock.advance(19_900);
  assert.equal(lease.lost.aborted, false);
  await clock.advance(200);
  assert.equal(lease.lost.aborted, true);
});

test("a lease that the database does not know any more is lost at once", async () => {
  const clock = new FakeClock();
  const lease = leaseOn(clock, async () => false);
  await clock.advance(5_100);
  assert.equal(lease.lost.aborted, true);
});

test("a lease that was given back is not lost, and asks for nothing more", async () => {
  const clock = new FakeClock();
  let renewals = 0;
  const lease = leaseOn(clock, async () => (renewals += 1) > 0);
  await lease.release();
  await clock.advance(60_000);
  assert.deepEqual([renewals, lease.lost.aborted], [0, false]);
});
