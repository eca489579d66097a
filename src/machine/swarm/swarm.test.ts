/** Clusters formed, grown and shrunk: the order of things, what is refused, and what goes on after a kill. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import { failureOf } from "../../../test/support/failure.ts";
import { FakeSwarm } from "../../testing/fake-swarm.ts";
import { formSwarm, type SwarmWish } from "./form-swarm.ts";
import { activateMember, drainMember, leaveSwarm } from "./leave-swarm.ts";
import { privateAddressIn } from "./private-address.ts";

const prod: SwarmWish = { name: "prod", managers: ["a", "b", "c"], workers: ["d"] };

async function formed(wish: SwarmWish = prod): Promise<FakeSwarm> {
  const swarm = new FakeSwarm();
  await formSwarm(swarm.members, wish);
  swarm.did.length = 0;
  return swarm;
}

describe("a swarm", () => {
  it("is formed by its first manager, the others join one after the other, and tokens are worth nothing afterwards", async () => {
    const swarm = new FakeSwarm();
    await formSwarm(swarm.members, prod);
    assert.deepEqual(swarm.did, [
      "a init 10.0.0.1",
      "a labelled",
      "b join manager at 10.0.0.1:2377",
      "b labelled",
      "c join manager at 10.0.0.1:2377",
      "c labelled",
      "d join worker at 10.0.0.1:2377",
      "d labelled",
      "rotate",
    ]);
    assert.equal(swarm.shown, "a=manager b=manager c=manager d=worker");
    assert.deepEqual(swarm.records.get("d"), { cluster: "prod", role: "worker" });
    assert.deepEqual([...swarm.secrets], ["SWMTKN-manager-1", "SWMTKN-worker-1"]);
  });

  it("is prepared for on each machine that comes: ports, and no live-restore", async () => {
    const swarm = new FakeSwarm();
    swarm.liveRestore.add("b");
    await formSwarm(swarm.members, prod);
    await formSwarm(swarm.members, { ...prod, workers: ["d", "e"] });
    assert.deepEqual(swarm.prepared, ["a", "b", "c", "d", "e"]);
  });

  it("as it is wanted is not changed, and grows and changes roles by what differs", async () => {
    const swarm = await formed();
    await formSwarm(swarm.members, prod);
    assert.deepEqual(swarm.did, []);
    await formSwarm(swarm.members, { ...prod, managers: ["a", "b", "d"], workers: ["c", "e"] });
    assert.deepEqual(swarm.did, ["d manager", "c worker", "e join worker at 10.0.0.1:2377", "e labelled", "rotate"]);
  });

  it("changes who manages it altogether, also the one by which it was asked", async () => {
    const swarm = await formed({ ...prod, managers: ["a"], workers: ["d"] });
    await formSwarm(swarm.members, { ...prod, managers: ["d"], workers: ["a"] });
    assert.equal(swarm.shown, "a=worker d=manager");
  });

  it("is gone on with wherever it was cut off", async () => {
    const whole = new FakeSwarm();
    await formSwarm(whole.members, prod);
    for (const [index, step] of whole.did.entries()) {
      const swarm = new FakeSwarm();
      swarm.before = () => {
        if (swarm.did.length === index) throw new Error("killed");
      };
      await assert.rejects(formSwarm(swarm.members, prod), /killed/u, step);
      swarm.before = () => {};
      await formSwarm(swarm.members, prod);
      assert.equal(swarm.shown, "a=manager b=manager c=manager d=worker", step);
    }
  });

  it("takes back who left by hand, and forgets the nodes that they were", async () => {
    const swarm = await formed();
    swarm.leaveByHand("c");
    swarm.leaveByHand("d");
    await formSwarm(swarm.members, prod);
    assert.equal(swarm.shown, "a=manager b=manager c=manager d=worker");
    assert.deepEqual(
      swarm.did.filter((what) => /removed|worker$/u.test(what)),
      ["c worker", "c removed", "d removed"],
    );
  });

  it("refuses engines with live-restore, and machines of other swarms, before anything is done", async () => {
    const lively = new FakeSwarm();
    lively.liveRestore.add("c");
    lively.inUnit.add("c");
    assert.match((await failureOf(formSwarm(lively.members, prod))).message, /"c" has live-restore on/u);
    const strayed = new FakeSwarm();
    strayed.strayInto("d", "worker");
    assert.match((await failureOf(formSwarm(strayed.members, prod))).message, /"d" is a worker of another swarm/u);
    const torn = await formed({ ...prod, managers: ["a"], workers: [] });
    torn.strayInto("b", "manager");
    assert.match((await failureOf(formSwarm(torn.members, prod))).message, /managers of different swarms/u);
    assert.deepEqual([...lively.did, ...strayed.did, ...torn.did], []);
    const other = await formed({ ...prod, managers: ["a"], workers: [] });
    other.strayInto("d", "worker");
    assert.match(
      (await failureOf(formSwarm(other.members, { ...prod, managers: ["a"] }))).message,
      /member of another swarm than prod/u,
    );
  });

  it("refuses a demotion that would leave too few managers", async () => {
    const swarm = await formed();
    swarm.down.add("b");
    await assert.rejects(
      formSwarm(swarm.members, { ...prod, managers: ["a", "c"], workers: [] }).then(
        async () => await formSwarm(swarm.members, { ...prod, managers: ["a"], workers: ["c"] }),
      ),
      (error) => isMachineError(error, "swarm-majority"),
    );
    assert.equal(swarm.shown, "a=manager b=manager c=manager d=worker");
  });
});

describe("a member that leaves", () => {
  it("is demoted, drained and waited for, gone, and then off the list", async () => {
    const swarm = await formed();
    swarm.work("b", 3);
    await leaveSwarm(swarm.members, "b", ["a", "c"]);
    assert.deepEqual(swarm.did, ["b worker", "b drain", "b leave", "b removed"]);
    assert.equal(swarm.shown, "a=manager c=manager d=worker");
    assert.equal(swarm.records.has("b"), false);
  });

  it("is gone on with wherever it was cut off", async () => {
    for (const step of ["b drain", "b leave", "b removed"]) {
      const swarm = await formed();
      swarm.before = (what) => {
        if (what === step) throw new Error("killed");
      };
      await assert.rejects(leaveSwarm(swarm.members, "b", ["a", "c"]), /killed/u);
      swarm.before = () => {};
      await leaveSwarm(swarm.members, "b", ["a", "c"]);
      assert.equal(swarm.shown, "a=manager c=manager d=worker", step);
    }
  });

  it("stays where its swarm could not be managed without it", async () => {
    const swarm = await formed();
    swarm.down.add("c");
    const refused = await failureOf(leaveSwarm(swarm.members, "b", ["a", "c"]));
    assert.equal(refused.code, "swarm-majority");
    assert.match(refused.message, /1 of the 2 other managers answers, and 2 must/u);
    assert.deepEqual(swarm.did, []);
  });

  it("takes the swarm with it where it is the last, and not where others only do not answer", async () => {
    const last = await formed({ ...prod, managers: ["a"], workers: [] });
    await leaveSwarm(last.members, "a", []);
    assert.deepEqual(last.did, ["a leave"]);
    const two = await formed({ ...prod, managers: ["a"], workers: ["d"] });
    assert.equal((await failureOf(leaveSwarm(two.members, "a", ["d"]))).code, "swarm-majority");
    assert.deepEqual(two.did, []);
  });

  it("is drained for work on its engine, and taken back after it", async () => {
    const swarm = await formed();
    swarm.work("d", 2);
    await drainMember(swarm.members, "d", "a");
    assert.match(swarm.shown, /d=worker=drain/u);
    await activateMember(swarm.members, "d", "a");
    assert.deepEqual(swarm.did, ["d drain", "d active"]);
  });
});

describe("the address within a cluster", () => {
  it("is a private one that is not the engine's, else the recorded one", () => {
    const lines = (...rows: string[]): string => rows.map((row, index) => `${index + 1}: ${row} scope global x`).join("\n");
    const docker = "docker0    inet 172.17.0.1/16 brd 172.17.255.255";
    const outside = "eth0    inet 203.0.113.7/24 brd 203.0.113.255";
    assert.equal(privateAddressIn(lines(docker, outside, "eth1    inet 10.8.0.7/20")), "10.8.0.7");
    assert.equal(privateAddressIn(lines(docker, "ens3    inet 192.168.1.9/24")), "192.168.1.9");
    assert.equal(privateAddressIn(lines(docker, outside)), undefined);
  });
});
