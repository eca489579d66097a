import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isMachineError, messageOf } from "../errors/machine-error.ts";
import { FakeClock } from "./fake-clock.ts";
import { graceMs, poll, unlessAborted, within, type Pace, type Patience } from "./waiting.ts";

function patienceOf(ms: number, signal?: AbortSignal): Patience & { clock: FakeClock } {
  return { ms, clock: new FakeClock(), signal };
}

/** The outcome of a promise that nobody waits for yet. */
function watch(work: Promise<unknown>): { readonly outcome: unknown } {
  const seen: { outcome: unknown } = { outcome: "pending" };
  work.then(
    (value) => (seen.outcome = value),
    (error: unknown) => (seen.outcome = error),
  );
  return seen;
}

describe("poll", () => {
  const timesAsked = async (pace: Pace, ms: number): Promise<number[]> => {
    const patience = patienceOf(ms);
    const times: number[] = [];
    const polling = watch(poll(patience, pace, async () => void times.push(patience.clock.monotonicMs())));
    await patience.clock.advance(ms);
    assert.equal(polling.outcome, undefined);
    return times;
  };

  it("asks at once, after each pause, and once more when the time is up", async () => {
    assert.deepEqual(await timesAsked(10, 25), [0, 10, 20, 25]);
    assert.deepEqual(await timesAsked(10, 0), [0]);
  });

  it("doubles its pauses up to the longest", async () => {
    assert.deepEqual(await timesAsked({ firstMs: 10, mostMs: 35 }, 120), [0, 10, 30, 65, 100, 120]);
  });

  it("leaves a share of each pause to chance", async () => {
    const times = await timesAsked({ firstMs: 100, mostMs: 100, jitter: 0.5 }, 10_000);
    const pauses = times.slice(1, -1).map((time, index) => time - (times[index] ?? 0));
    assert.ok(pauses.every((pause) => pause > 49 && pause <= 100.001));
    assert.ok(new Set(pauses.map(Math.round)).size > 5);
  });

  it("gives the first answer that is not undefined, be it false", async () => {
    const patience = patienceOf(100);
    const answers = [undefined, undefined, false, true];
    const remaining: number[] = [];
    const polling = watch(
      poll(
        patience,
        10,
        async ({ remainingMs }) => {
          remaining.push(remainingMs);
          return answers.shift();
        },
        "Nothing came",
      ),
    );
    await patience.clock.advance(100);
    assert.equal(polling.outcome, false);
    assert.deepEqual(remaining, [100, 90, 80]);
  });

  it("throws a timeout that names the bound, or what is made of the last note", async () => {
    await assert.rejects(
      poll(patienceOf(0), 10, async () => undefined, "The instance did not run"),
      (error) => isMachineError(error, "timeout") && error.message === "The instance did not run within 0 ms",
    );
    const patience = patienceOf(20);
    let count = 0;
    const polling = watch(
      poll(
        patience,
        10,
        async ({ note }) => note(++count),
        (last) => new Error(`after ${String(last)}`),
      ),
    );
    await patience.clock.advance(20);
    assert.deepEqual(polling.outcome, new Error("after 3"));
  });

  it("ends with what a question throws, and with the signal's reason while it sleeps", async () => {
    await assert.rejects(
      poll(patienceOf(100), 10, async () => await Promise.reject(new Error("never"))),
      /never/u,
    );
    const stop = new AbortController();
    const patience = patienceOf(Number.POSITIVE_INFINITY, stop.signal);
    const polling = watch(poll(patience, 10, async () => undefined));
    await patience.clock.advance(1_000);
    assert.equal(polling.outcome, "pending");
    stop.abort(new Error("enough"));
    await patience.clock.advance(0);
    assert.deepEqual(polling.outcome, new Error("enough"));
  });

  it("asks nothing when the signal is aborted already", async () => {
    let asked = 0;
    const polling = poll(patienceOf(10, AbortSignal.abort(new Error("before"))), 1, async () => ++asked);
    await assert.rejects(polling, /before/u);
    assert.equal(asked, 0);
  });
});

describe("within", () => {
  it("gives what the work gives and leaves no timer behind", async () => {
    const patience = patienceOf(1_000, new AbortController().signal);
    let isAborted = false;
    const work = async (signal: AbortSignal): Promise<number> => {
      signal.addEventListener("abort", () => (isAborted = true));
      return await Promise.resolve(7);
    };
    assert.equal(await within(patience, work, "It did not end"), 7);
    await patience.clock.advance(2_000);
    assert.equal(isAborted, false);
  });

  it("ends work by its signal when the time is up, and says why in its place", async () => {
    const patience = patienceOf(1_000);
    const obedient = async (signal: AbortSignal): Promise<never> => {
      await patience.clock.sleep(Number.POSITIVE_INFINITY, signal).catch(() => {});
      throw new Error("I was interrupted");
    };
    const ended = watch(within(patience, obedient, "The driver did not answer"));
    await patience.clock.advance(999);
    assert.equal(ended.outcome, "pending");
    await patience.clock.advance(1);
    assert.equal(messageOf(ended.outcome), "The driver did not answer within 1 s");
  });

  it("leaves work behind that does not heed its signal, after a grace", async () => {
    const stop = new AbortController();
    const patience = patienceOf(1_000, stop.signal);
    const stubborn = watch(within(patience, async () => await new Promise(() => {}), "never"));
    stop.abort(new Error("Ctrl-C"));
    await patience.clock.advance(graceMs - 1);
    assert.equal(stubborn.outcome, "pending");
    await patience.clock.advance(1);
    assert.deepEqual(stubborn.outcome, new Error("Ctrl-C"));
  });

  it("leaves work behind at once that is wrapped in unlessAborted", async () => {
    const patience = patienceOf(1_000);
    const left = watch(
      within(
        patience,
        async (signal) => await unlessAborted(new Promise(() => {}), signal),
        () => new Error("late"),
      ),
    );
    await patience.clock.advance(1_000);
    assert.deepEqual(left.outcome, new Error("late"));
  });

  it("waits without a bound where there is none", async () => {
    const patience = patienceOf(Number.POSITIVE_INFINITY);
    const answer = Promise.withResolvers<string>();
    const waiting = watch(within(patience, async () => await answer.promise, "never"));
    await patience.clock.advance(1e9);
    assert.equal(waiting.outcome, "pending");
    answer.resolve("at last");
    await patience.clock.advance(0);
    assert.equal(waiting.outcome, "at last");
  });
});

describe("unlessAborted", () => {
  it("gives the work's outcome, or the signal's reason if that comes first", async () => {
    const stop = new AbortController();
    assert.equal(await unlessAborted(Promise.resolve(1), stop.signal), 1);
    await assert.rejects(unlessAborted(Promise.reject(new Error("own")), stop.signal), /own/u);
    const later = Promise.withResolvers<void>();
    const waiting = watch(unlessAborted(later.promise, stop.signal));
    stop.abort(new Error("first"));
    await new Promise(setImmediate);
    assert.deepEqual(waiting.outcome, new Error("first"));
    // Would end the process if nobody listened.
    later.reject(new Error("afterwards"));
    await new Promise(setImmediate);
    await assert.rejects(unlessAborted(Promise.reject(new Error("unheard")), stop.signal), /first/u);
  });
});
