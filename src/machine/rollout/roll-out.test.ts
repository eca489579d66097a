/** A roll-out by itself: batches, canaries, when it stops, and how machines stand in the end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeClock } from "../../system/fake-clock.ts";
import { failureOf } from "../../../test/support/failure.ts";
import { never } from "../../testing/scene.ts";
import { isNewer, isVersion, parseEngineVersion } from "./engine-version.ts";
import { requireRolledOut, rollOut, type RolledOut, type RolloutPace, type RolloutState } from "./roll-out.ts";

const names = ["a", "b", "c", "d", "e"];
const oneByOne: RolloutPace = { maxUnavailable: { machines: 1 }, maxFail: 0, first: undefined, pauseMs: 0 };

/** What was done, in words, and how it ended. */
async function rolled(
  change: Partial<RolloutPace>,
  failing: Readonly<Record<string, RolloutState>> = {},
  judging: readonly string[] = [],
): Promise<{ readonly did: string; readonly ends: readonly RolledOut[] }> {
  const did: string[] = [];
  let running = 0;
  const clock = new FakeClock();
  const sleep = clock.sleep.bind(clock);
  clock.sleep = async (ms, signal) => {
    did.push(`pause ${ms}`);
    await Promise.all([sleep(ms, signal), clock.advance(ms)]);
  };
  const ends = await rollOut(
    names,
    { ...oneByOne, ...change },
    {
      change: async (name) => {
        running += 1;
        did.push(running === 1 ? name : `+${name}`);
        await Promise.resolve();
        running -= 1;
        if (failing[name] !== undefined) throw new Error(`${name} failed`);
      },
      judge: async (name) => {
        did.push(`judge ${name}`);
        if (judging.includes(name)) throw new Error(`${name} is ill`);
      },
      stateAfterFailure: async (name) => failing[name] ?? "broken",
    },
    { clock, signal: never },
  );
  return { did: did.join(" "), ends };
}

const statesOf = (ends: readonly RolledOut[]): string => ends.map(({ name, state }) => `${name}=${state}`).join(" ");

describe("a roll-out", () => {
  it("takes as many machines at once as it may, and waits for them", async () => {
    assert.equal((await rolled({})).did, "a b c d e");
    assert.equal((await rolled({ maxUnavailable: { machines: 2 } })).did, "a +b c +d e");
    assert.equal((await rolled({ maxUnavailable: { percent: 40 } })).did, "a +b c +d e");
    assert.equal((await rolled({ maxUnavailable: { percent: 1 } })).did, "a b c d e");
    assert.equal(statesOf((await rolled({})).ends), "a=new b=new c=new d=new e=new");
  });

  it("begins no more once more have failed than may, and says how each stands", async () => {
    const { did, ends } = await rolled({ maxUnavailable: { machines: 2 } }, { a: "broken", b: "old" });
    assert.equal(did, "a +b");
    assert.equal(statesOf(ends), "a=broken b=old c=old d=old e=old");
    const error = await failureOf(() => requireRolledOut(ends, "Mend it."));
    assert.equal(error.code, "rollout-failed");
    assert.match(error.message, /^2 of 5 machines failed \(broken: a; old: b, c, d, e\)\na: a failed\nb: b failed$/u);
  });

  it("goes on over as many failures as may be, and fails all the same", async () => {
    const { did, ends } = await rolled({ maxFail: 1 }, { b: "old" });
    assert.equal(did, "a b c d e");
    assert.equal(statesOf(ends), "a=new b=old c=new d=new e=new");
    assert.throws(() => requireRolledOut(ends, ""), /1 of 5 machines failed/u);
    assert.equal((await rolled({ maxFail: 1 }, { b: "old", c: "broken" })).did, "a b c");
  });

  it("watches those that go first, judges them again, and only then takes the others, without pauses", async () => {
    const canary = { first: 1, pauseMs: 600_000, maxUnavailable: { machines: 2 } } as const;
    assert.equal((await rolled(canary)).did, "a pause 600000 judge a b +c d +e");
    const ill = await rolled(canary, {}, ["a"]);
    assert.equal(ill.did, "a pause 600000 judge a");
    assert.equal(statesOf(ill.ends), "a=broken b=old c=old d=old e=old");
    assert.equal((await rolled({ ...canary, first: 9 })).did, "a +b c +d e");
  });

  it("waits between batches where none go first, and after the last not", async () => {
    assert.equal((await rolled({ pauseMs: 5, maxUnavailable: { machines: 3 } })).did, "a +b +c pause 5 d +e");
  });

  it("ends with the signal's reason, and begins no more", async () => {
    const stop = new AbortController();
    const did: string[] = [];
    const work = {
      change: async (name: string) => {
        did.push(name);
        stop.abort(new Error("interrupted"));
      },
      judge: async () => {},
      stateAfterFailure: async () => "old" as const,
    };
    const rolling = rollOut(names, oneByOne, work, { clock: new FakeClock(), signal: stop.signal });
    await assert.rejects(rolling, /interrupted/u);
    assert.deepEqual(did, ["a"]);
  });
});

describe("versions of engines", () => {
  it("are what was asked for as far as that says", () => {
    for (const [actual, wanted] of [
      ["28.4.0", "28.4"],
      ["28.4.0", "v28.4.0"],
      ["20.10.24+dfsg1", "20.10.24"],
      ["27.5.1", "5:27.5.1-1~debian.12~bookworm"],
    ] as const)
      assert.ok(isVersion(actual, wanted), `${actual} ${wanted}`);
    for (const [actual, wanted] of [
      ["28.40.0", "28.4"],
      ["28.3.9", "28.4"],
      ["", "28"],
      ["unknown", "28"],
    ] as const)
      assert.ok(!isVersion(actual, wanted), `${actual} ${wanted}`);
  });

  it("are newer by their numbers, and not by what was not said", () => {
    assert.deepEqual(
      [isNewer("28.4.1", "28.4"), isNewer("28.10.0", "28.9"), isNewer("9.0", "28"), isNewer("", "28")],
      [false, true, false, false],
    );
    assert.throws(() => parseEngineVersion("newest", "--to"), /--to "newest" is no version/u);
  });
});
