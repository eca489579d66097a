import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../system/fake-clock.ts";
import { unlessAborted } from "../system/waiting.ts";
import { firstAnswer } from "./first-answer.ts";

const never = new AbortController().signal;

class Passing extends Error {}

interface Answer {
  /** After it was asked; never unless told. */
  readonly afterMs?: number;
  readonly error?: Error;
}

function scene(answers: Readonly<Record<string, Answer>>): {
  readonly clock: FakeClock;
  readonly asked: string[];
  readonly ended: string[];
  readonly first: (signal?: AbortSignal) => Promise<{ readonly by: string; readonly answer: string }>;
} {
  const clock = new FakeClock();
  const startMs = clock.monotonicMs();
  const asked: string[] = [];
  const ended: string[] = [];
  const ask = async (name: string, signal: AbortSignal): Promise<string> => {
    asked.push(`${name} at ${clock.monotonicMs() - startMs}`);
    signal.addEventListener("abort", () => ended.push(name));
    const { afterMs, error } = answers[name] ?? {};
    if (afterMs === undefined) return await unlessAborted(new Promise<never>(() => {}), signal);
    await clock.sleep(afterMs, signal);
    if (error !== undefined) throw error;
    return `of ${name}`;
  };
  const passes = (error: unknown): boolean => error instanceof Passing;
  const first = async (signal = never): Promise<{ by: string; answer: string }> =>
    await firstAnswer(Object.keys(answers), { ask, pauseMs: 100, clock, signal, passes });
  return { clock, asked, ended, first };
}

test("whoever answers in time is the only one who is asked", async () => {
  const { clock, asked, first } = scene({ a: { afterMs: 90 }, b: { afterMs: 0 } });
  const answered = first();
  await clock.advance(90);
  assert.deepEqual([await answered, asked], [{ by: "a", answer: "of a" }, ["a at 0"]]);
  await clock.advance(1_000);
  assert.deepEqual(asked, ["a at 0"]);
});

test("where all are slow, the first one's answer still counts, and the others are told that it is over", async () => {
  const { clock, asked, ended, first } = scene({ a: { afterMs: 350 }, b: { afterMs: 350 }, c: { afterMs: 350 } });
  const answered = first();
  await clock.advance(350);
  assert.equal((await answered).by, "a");
  assert.deepEqual(asked, ["a at 0", "b at 100", "c at 200", "a at 300"]);
  assert.deepEqual(ended, ["a", "b", "c", "a"]);
});

test("who is silent is passed over, who says that it cannot is so at once, and all are asked again ever more rarely", async () => {
  const { clock, asked, first } = scene({ a: {}, b: { afterMs: 20, error: new Passing() }, c: { afterMs: 900 } });
  const answered = first();
  await clock.advance(1_020);
  assert.equal((await answered).by, "c");
  assert.deepEqual(asked, ["a at 0", "b at 100", "c at 120", "a at 220", "b at 420", "c at 440", "a at 640"]);
});

test("what is an answer ends it, and where nobody has one all that was said is told", async () => {
  const refusing = scene({ a: { afterMs: 10, error: new Error("refused") }, b: { afterMs: 0 } });
  const refused = assert.rejects(refusing.first(), /refused/u);
  await refusing.clock.advance(10);
  await refused;
  assert.deepEqual(refusing.asked, ["a at 0"]);
  const failures = [new Passing("late"), new Passing("early")];
  const failing = scene({ a: { afterMs: 500, error: failures[0] as Error }, b: { afterMs: 10, error: failures[1] as Error } });
  const failed = failing.first().catch((error: unknown) => (error as AggregateError).errors as unknown[]);
  await failing.clock.advance(5_000);
  assert.deepEqual(await failed, [failures[1], failures[0]]);
});

test("a signal ends it with its reason", async () => {
  const { ended, first } = scene({ a: {}, b: {} });
  const stop = new AbortController();
  const answered = first(stop.signal);
  stop.abort(new Error("stop"));
  await assert.rejects(answered, /stop/u);
  assert.deepEqual(ended, ["a"]);
});
