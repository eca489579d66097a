/**
 * P2 and P3: whatever instant a command is killed at, every instance of ours stands in a record or is listed by gc, a
 * repeated create makes no second one, and nobody else's instance is touched.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { removeLeftovers } from "../../src/machine/gc.ts";
import type { ListedMachine } from "../../src/machine/list.ts";
import { virtuous, type Vices } from "../../src/testing/vices.ts";
import { buildProgram, Rig, roundsOf } from "./rig.ts";

const program = buildProgram();
const vicious: Vices = { ...virtuous, latencyMs: 15, lostReplies: 0.25, duplicates: 0.25, hiddenMs: 40 };

async function rigWithAuthority(...names: readonly string[]): Promise<Rig> {
  const rig = await Rig.open(program);
  await rig.create("first");
  await rig.remove("first");
  for (const name of names) await rig.create(name);
  rig.keep();
  return rig;
}

/** After a create that was killed: found, completed without a second instance, and removed without a trace. */
async function assertRecovers(rig: Rig): Promise<void> {
  await rig.assertAllFound();
  await rig.create("web").catch((error: unknown) => {
    if (!isMachineError(error, "machine-exists")) throw error;
  });
  assert.equal((await rig.ours()).length, 1, "a repeated create made a second instance, or none");
  await assertRemovable(rig);
}

async function assertRemovable(rig: Rig): Promise<void> {
  await rig.remove("web");
  await rig.assertAllFound();
  assert.deepEqual(await rig.ours(), []);
  assert.deepEqual(await rig.context.store.list(), []);
}

test("create, killed before each change", async () => {
  await using rig = await rigWithAuthority();
  const instants = await rig.instantsOf("create", ["web"]);
  for (let at = 1; at <= instants; at += 1) {
    assert.equal((await rig.run("create", ["web"], { at })).killed, true, `instant ${at} of ${instants} was not reached`);
    await assertRecovers(rig);
    rig.reset();
  }
});

test("rm, killed before each change", async () => {
  await using rig = await rigWithAuthority("web");
  const instants = await rig.instantsOf("rm", ["web"]);
  for (let at = 1; at <= instants; at += 1) {
    assert.equal((await rig.run("rm", ["web"], { at })).killed, true, `instant ${at} of ${instants} was not reached`);
    await rig.assertAllFound();
    if (await rig.context.store.has("web")) await assertRemovable(rig);
    assert.deepEqual(await rig.ours(), []);
    rig.reset();
  }
});

test("rm of what an interrupted create left, killed before each change, then create", async () => {
  await using rig = await rigWithAuthority();
  const creating = await rig.instantsOf("create", ["web"]);
  // The instance is there, its record does not know it yet.
  assert.equal((await rig.run("create", ["web"], { at: await instantAfterRequest(rig, creating) })).killed, true);
  rig.keep();
  const removing = await rig.instantsOf("rm", ["web"]);
  for (let at = 1; at <= removing; at += 1) {
    assert.equal((await rig.run("rm", ["web"], { at })).killed, true);
    await assertRecovers(rig);
    rig.reset();
  }
});

/** The instant right after the cloud has made the instance: the first with one. */
async function instantAfterRequest(rig: Rig, instants: number): Promise<number> {
  for (let at = 1; at <= instants; at += 1) {
    await rig.run("create", ["web"], { at });
    const made = (await rig.ours()).length > 0;
    rig.reset();
    if (made) return at;
  }
  throw new Error("no instance was made");
}

test("create, killed at random, at a cloud that is slow, forgets to answer, hears twice and shows things late", async (context) => {
  const rounds = roundsOf(25, 1_000);
  await using rig = await rigWithAuthority();
  let kills = 0;
  for (let round = 0; round < rounds; round += 1) {
    rig.cloud.vices = vicious;
    if ((await rig.run("create", ["web"], { afterMs: Math.random() * 120 })).killed) kills += 1;
    await assertRecovers(rig);
    rig.reset();
  }
  context.diagnostic(`${kills} kills in ${rounds} runs`);
  assert.ok(kills > rounds / 3, "few were killed at work");
});

test("an instance that appears after its machine was removed is found, and removed by gc", async () => {
  await using rig = await rigWithAuthority();
  // The request is on its way, the client dies, the user removes the machine, and then the cloud carries it out.
  const release = rig.cloud.hold("POST");
  assert.equal((await rig.run("create", ["web"], { pending: true })).killed, true);
  await rig.remove("web");
  release();
  await rig.assertAllFound();
  assert.equal((await rig.ours()).length, 1);
  // The name is free again, and the new machine is another one.
  await rig.create("web");
  const leftovers = await rig.findLeftovers();
  assert.deepEqual(
    leftovers.map(({ removed, instances }) => [removed, instances.length]),
    [[true, 1]],
  );
  for (const { error } of await removeLeftovers(rig.context, leftovers, AbortSignal.timeout(10_000)))
    assert.equal(error, undefined);
  assert.equal((await rig.ours()).length, 1);
  assert.equal((await rig.findLeftovers()).length, 1, "a late reply could still make it appear again");
  await rig.assertAllFound();
});

test("what gc found is left alone when someone has finished it meanwhile", async () => {
  await using rig = await rigWithAuthority();
  const release = rig.cloud.hold("POST");
  await rig.run("create", ["web"], { pending: true });
  release();
  const leftovers = await rig.findLeftovers();
  assert.deepEqual(
    leftovers.map(({ name, command }) => [name, command]),
    [["web", "create"]],
  );
  await rig.create("web");
  const [outcome] = await removeLeftovers(rig.context, leftovers, AbortSignal.timeout(10_000));
  assert.equal(isMachineError(outcome?.error, "machine-state"), true);
  assert.equal((await rig.ours()).length, 1);
});

test("an interrupt undoes what was begun; what the cloud makes all the same is found", async () => {
  await using rig = await rigWithAuthority();
  const release = rig.cloud.hold("POST");
  const { status, stderr } = await rig.run("create", ["web"], { interrupts: 1 });
  assert.equal(status, 1);
  assert.match(stderr, /Interrupted/u);
  assert.deepEqual(await rig.context.store.list(), []);
  release();
  await rig.assertAllFound();
  assert.equal((await rig.ours()).length, 1);
});

test("a second interrupt ends at once and leaves the journal, with which ls, create and rm know what to do", async () => {
  await using rig = await rigWithAuthority();
  const releases = [rig.cloud.hold("POST"), rig.cloud.hold("GET")];
  const { status, stdout } = await rig.run("create", ["web"], { interrupts: 2 });
  assert.deepEqual([status, stdout], [130, "interrupted\n"]);
  for (const release of releases) release();
  const { result } = JSON.parse((await rig.run("ls")).stdout) as { result: ListedMachine[] };
  assert.deepEqual(
    result.map(({ name, interrupted }) => [name, interrupted]),
    [["web", 'create was interrupted at "roll-back"; run docker-machine rm web to finish it']],
  );
  rig.keep();
  await rig.create("web");
  assert.equal((await rig.ours()).length, 1, "the earlier one was undone first");
  rig.reset();
  await assertRemovable(rig);
});
