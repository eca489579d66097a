/** Members of swarms in a roll-out: whose turn comes when, and what is done around the work. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FakeSwarm } from "../../testing/fake-swarm.ts";
import { formSwarm } from "../swarm/form-swarm.ts";
import { swarmTurns } from "./swarm-turns.ts";

async function formed(managers: readonly string[], workers: readonly string[]): Promise<FakeSwarm> {
  const swarm = new FakeSwarm();
  await formSwarm(swarm.members, { name: "prod", managers, workers });
  swarm.did.length = 0;
  return swarm;
}

describe("turns of a swarm", () => {
  it("come to workers and strangers first, to managers one at a time, and to their leader last", async () => {
    const swarm = await formed(["a", "b", "c"], ["d"]);
    const { many, managers } = await swarmTurns(swarm.members, swarm.records, ["a", "b", "x", "d", "c"]);
    assert.deepEqual(
      [many, managers],
      [
        ["x", "d"],
        ["b", "c", "a"],
      ],
    );
  });

  it("drain who works, and take back who is as it should be", async () => {
    const swarm = await formed(["a", "b", "c"], ["d"]);
    swarm.work("d", 2);
    const turns = await swarmTurns(swarm.members, swarm.records, ["d", "x"]);
    await turns.around("d", async () => void swarm.did.push("work"));
    await turns.around("x", async () => void swarm.did.push("other work"));
    assert.deepEqual(swarm.did, ["d drain", "work", "d active", "other work"]);
  });

  it("leave drained what failed, and drain nobody where no other manager answers", async () => {
    const swarm = await formed(["a", "b", "c"], ["d"]);
    const turns = await swarmTurns(swarm.members, swarm.records, ["d"]);
    const failing = async (): Promise<void> => {
      throw new Error("it failed");
    };
    await assert.rejects(turns.around("d", failing), /it failed/u);
    assert.match(swarm.shown, /d=worker=drain/u);
    const single = await formed(["a"], ["d"]);
    const { around } = await swarmTurns(single.members, single.records, ["a"]);
    await around("a", async () => void single.did.push("work"));
    assert.deepEqual(single.did, ["work"]);
  });
});
