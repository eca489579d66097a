/**
 * The laptop dies in the middle of `create`, and a colleague's `create` finishes it, from another store, with another
 * identity: there is one instance. At real etcd and real PostgreSQL. With DOCKER_MACHINE_LONG_TESTS=1 at each instant.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { buildProgram, isFullRun } from "../safety/rig.ts";
import { engines, Office } from "./office.ts";

const program = buildProgram();

for (const { name, start, skip } of engines) {
  test(
    `${name}: the laptop dies while the cloud makes the instance, and a colleague's create finishes it`,
    { skip },
    async () => {
      await using office = await Office.open(program, start);
      const { rig, alice, bob } = office;
      assert.equal((await rig.run("create", ["web"], { pending: true }, alice.storePath)).killed, true);
      const died = performance.now();
      await office.good(bob, "create", "web");
      const seconds = (performance.now() - died) / 1_000;
      assert.ok(seconds < 25, `${seconds} s`);
      assert.equal((await rig.ours()).length, 1);
      // The laptop is back.
      assert.deepEqual(
        (await office.listed(alice)).map(({ name: machine, error }) => [machine, error]),
        [["web", ""]],
      );
      assert.equal(await office.good(alice, "ip", "web"), await office.good(bob, "ip", "web"));
      await office.good(alice, "rm", "web");
      assert.deepEqual(await rig.ours(), []);
      assert.deepEqual(await office.listed(bob), []);
    },
  );

  test(`${name}: create, killed before its changes, and gone on with by a colleague`, { skip }, async (context) => {
    await using office = await Office.open(program, start);
    const { rig, engine, alice, bob } = office;
    const { instants } = JSON.parse(await office.good(alice, "create", "web")) as { instants: number };
    await office.good(alice, "rm", "web");
    const step = isFullRun ? 1 : Math.ceil(instants / 5);
    let kills = 0;
    for (let at = 1; at <= instants; at += step) {
      assert.equal((await rig.run("create", ["web"], { at }, alice.storePath)).killed, true, `instant ${at} of ${instants}`);
      kills += 1;
      await engine.endLeases();
      const theirs = await rig.run("create", ["web"], {}, bob.storePath);
      // Where only the lock was left to be given back, the machine is there.
      assert.ok(theirs.status === 0 || /already exists/u.test(theirs.stderr), `after instant ${at}: ${theirs.stderr}`);
      assert.equal((await rig.ours()).length, 1, `after instant ${at}`);
      for (const who of [alice, bob])
        assert.deepEqual(
          (await office.listed(who)).map(({ name: machine, error }) => [machine, error]),
          [["web", ""]],
          `${who.name} after instant ${at}`,
        );
      await office.good(at % 2 === 0 ? alice : bob, "rm", "web");
      assert.deepEqual(await rig.ours(), [], `after instant ${at}`);
    }
    context.diagnostic(`${kills} kills at ${instants} instants`);
  });
}
