import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineState } from "../../driver-kit/state.ts";
import { driverModule } from "../../drivers/none/index.ts";
import { reportNothing } from "../../log/event.ts";
import { FakeClock } from "../../system/fake-clock.ts";
import { defaultTimeouts } from "../timeouts.ts";
import type { MachineContext } from "../machine-context.ts";
import type { Host } from "./host.ts";
import { askSideBySide, engineGraceMs, headStartMs, type Question, type Sighting } from "./side-by-side.ts";

/** What was asked when, by the clock. */
interface Rig {
  readonly clock: FakeClock;
  readonly driverAskedMs: number[];
  ask(question: Question<string>, signal?: AbortSignal): Promise<Sighting<string>>;
}

function rig(isLocal: boolean, getState: () => Promise<MachineState>, clock = new FakeClock()): Rig {
  const driverAskedMs: number[] = [];
  const context = { clock, timeouts: defaultTimeouts } as unknown as MachineContext;
  const driver = {
    tellsStateLocally: isLocal,
    getState: async () => {
      driverAskedMs.push(clock.monotonicMs());
      return await getState();
    },
  };
  const host = { name: "web", driver, module: driverModule, report: reportNothing } as unknown as Host;
  const ask = async (question: Question<string>, signal = new AbortController().signal): Promise<Sighting<string>> =>
    await askSideBySide(context, host, question, signal);
  return { clock, driverAskedMs, ask };
}

/** Answers nothing until it is aborted. */
const silent = async (signal: AbortSignal): Promise<never> =>
  await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));

const answersAfter =
  (clock: FakeClock, ms: number) =>
  async (signal: AbortSignal): Promise<string> => {
    await clock.sleep(ms, signal);
    return "29.1.2";
  };

const refuses = async (): Promise<never> => await Promise.reject(new Error("refused"));

/** Whether it has an outcome yet. */
function watched<T>(work: Promise<T>): { readonly work: Promise<T>; isSettled: boolean } {
  const seen = { work, isSettled: false };
  void work.then(
    () => (seen.isSettled = true),
    () => (seen.isSettled = true),
  );
  return seen;
}

test("a driver that tells the state of its own knowledge is asked at once, and its Stopped ends the wait", async () => {
  const { clock, driverAskedMs, ask } = rig(true, async () => "Stopped");
  const asked = watched(ask({ askEngine: silent }));
  await clock.advance(engineGraceMs - 1);
  assert.deepEqual(driverAskedMs, [0]);
  assert.equal(asked.isSettled, false);
  await clock.advance(1);
  assert.deepEqual(await asked.work, { state: "Stopped", silence: undefined });
});

test("any other driver is asked after a second of the engine's silence", async () => {
  const { clock, driverAskedMs, ask } = rig(false, async () => "Stopped");
  const asked = ask({ askEngine: silent });
  await clock.advance(headStartMs - 1);
  assert.deepEqual(driverAskedMs, []);
  await clock.advance(1);
  assert.deepEqual(await asked, { state: "Stopped", silence: undefined });
  assert.deepEqual(driverAskedMs, [headStartMs]);
});

test("while this process is busy nobody listens, and that is no silence of the engine's", async () => {
  const busyMs = 150;
  class BusyClock extends FakeClock {
    override async sleep(ms: number, signal?: AbortSignal): Promise<void> {
      await super.sleep(ms + busyMs, signal);
    }
  }
  const clock = new BusyClock();
  const { driverAskedMs, ask } = rig(false, async () => "Stopped", clock);
  const asked = ask({ askEngine: answersAfter(clock, 2 * headStartMs) });
  await clock.advance(9_000);
  assert.deepEqual(await asked, { answer: "29.1.2" });
  assert.deepEqual(driverAskedMs, []);
});

test("no driver waits for an engine that has failed", async () => {
  for (const isLocal of [true, false]) {
    const { driverAskedMs, ask } = rig(isLocal, async () => "Stopped");
    const seen = await ask({ askEngine: refuses });
    assert.equal("state" in seen && seen.state, "Stopped");
    assert.deepEqual(driverAskedMs, [0]);
  }
});

test("an engine that answers runs, whatever the driver says", async () => {
  const local = rig(true, async () => "Stopped");
  const asked = local.ask({ askEngine: answersAfter(local.clock, engineGraceMs - 50) });
  await local.clock.advance(engineGraceMs);
  assert.deepEqual(await asked, { answer: "29.1.2" });

  const distant = rig(false, async () => "Stopped");
  const answered = distant.ask({ askEngine: answersAfter(distant.clock, headStartMs - 1) });
  await distant.clock.advance(headStartMs);
  assert.deepEqual(await answered, { answer: "29.1.2" });
  assert.deepEqual(distant.driverAskedMs, []);
});

test("a machine that runs, or of which nothing is known, is waited for", async () => {
  for (const state of ["Running", ""] as const) {
    const { clock, ask } = rig(true, async () => state);
    const asked = ask({ askEngine: answersAfter(clock, 9_000) });
    await clock.advance(9_000);
    assert.deepEqual(await asked, { answer: "29.1.2" });
  }
});

test("who only asks whether it runs need not wait for its engine", async () => {
  const { ask } = rig(true, async () => "Running");
  assert.deepEqual(await ask({ askEngine: silent, engineMs: () => 0 }), { state: "Running", silence: undefined });
});

test("of a short bound half is the engine's alone", async () => {
  const { clock, driverAskedMs, ask } = rig(false, async () => "Stopped");
  const asked = ask({ askEngine: silent, withinMs: 1_000 });
  await clock.advance(500);
  assert.deepEqual(await asked, { state: "Stopped", silence: undefined });
  assert.deepEqual(driverAskedMs, [500]);
});

test("what a driver throws counts only where the engine is silent too", async () => {
  const broken = async (): Promise<never> => await Promise.reject(new Error("no credentials"));
  const { clock, ask } = rig(true, broken);
  const asked = ask({ askEngine: answersAfter(clock, 5_000) });
  await clock.advance(5_000);
  assert.deepEqual(await asked, { answer: "29.1.2" });
  await assert.rejects(ask({ askEngine: refuses }), /no credentials/u);
});

test("the engine is left alone once the driver has told enough, and a signal ends both", async () => {
  const { clock, ask } = rig(true, async () => "Stopped");
  let engineSignal: AbortSignal | undefined;
  const asked = ask({
    askEngine: async (signal) => {
      engineSignal = signal;
      return await silent(signal);
    },
  });
  await clock.advance(engineGraceMs);
  await asked;
  assert.equal(engineSignal?.aborted, true);
  const stop = new AbortController();
  const ended = ask({ askEngine: silent }, stop.signal);
  stop.abort(new Error("interrupted"));
  await assert.rejects(ended, /interrupted/u);
});
