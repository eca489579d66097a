/**
 * P1 to P3 of a fleet: an `apply` that creates, changes, replaces and removes, killed before each single change that it makes,
 * ends with the next `apply` in what the file says, with one instance a machine and none besides.
 */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { isChange } from "../../src/fleet/plan/plan.ts";
import { applyFleet, planFleet } from "./apply-fleet.ts";
import { buildProgram, isFullRun, Rig } from "./rig.ts";

const program = buildProgram();

/** `2/3`: the second of three pieces of the full count, each of which has every third instant. */
const [piece, pieces] = process.env["SAFETY_PIECE"]?.split("/").map(Number) ?? [];
/** Instants that are passed over between two kills, so that every one comes up in some run of the tests' history. */
const stride = pieces ?? (isFullRun ? 1 : 8);
/** The first instant of a run. */
const first = (): number => piece ?? 1 + Math.floor(Math.random() * stride);

function fileText(rig: Rig, machines: string): string {
  const token = path.join(path.dirname(rig.storePath), "token");
  writeFileSync(token, "first-token\n");
  return `
version: 1
fleet: shop
defaults: {driver: fakecloud, fakecloud-endpoint: "${rig.cloud.url}", fakecloud-token: "file:${token}", tls-key-type: ecdsa}
machines:
${machines}
`;
}

test("apply, killed before each change, goes on with the next", async (context) => {
  await using rig = await Rig.open(program);
  const before = fileText(rig, "  web-[1-2]: {labels: {tier: front}}\n  old: {}\n  kept: {}");
  const after = fileText(
    rig,
    "  web-1: {labels: {tier: back}, protect: true}\n  web-2: {fakecloud-size: big}\n  kept: {}\n  new: {}",
  );
  await applyFleet(rig.context, before, [], AbortSignal.timeout(60_000));
  rig.keep();
  const file = path.join(path.dirname(rig.storePath), "machines.yml");
  writeFileSync(file, after);
  const instants = await rig.instantsOf("apply", [file, "web-2"]);
  assert.ok(instants > 60, `only ${instants} instants`);
  let kills = 0;
  for (let at = first(); at <= instants; at += stride) {
    const { killed, stderr } = await rig.run("apply", [file, "web-2"], { at });
    assert.equal(killed, true, `instant ${at} of ${instants} was not reached: ${stderr}`);
    kills += 1;
    await rig.assertAllFound();
    // Whether it was replaced already shows in its size: only then is it not asked for once more.
    const isReplaced = (await planFleet(rig.context, after)).machines.every(
      ({ name, needs }) => name !== "web-2" || needs === undefined,
    );
    await applyFleet(rig.context, after, isReplaced ? [] : ["web-2"], AbortSignal.timeout(60_000));
    assert.deepEqual(await rig.assertAllLoad(), ["kept", "new", "web-1", "web-2"], `after instant ${at}`);
    assert.equal((await rig.ours()).length, 4, `after instant ${at}: a machine twice, or none`);
    assert.deepEqual((await planFleet(rig.context, after)).machines.filter(isChange), [], `after instant ${at}`);
    const { extra } = await rig.context.store.load("web-1");
    assert.deepEqual([extra.Labels, extra.Protected], [{ tier: "back" }, true]);
    assert.deepEqual((await rig.findLeftovers()).length, 0);
    assert.deepEqual(rig.strays(), [], `after instant ${at}`);
    rig.reset();
  }
  context.diagnostic(`${kills} kills at ${instants} instants`);
});

test("the first apply of a store, killed before each change", async (context) => {
  await using rig = await Rig.open(program);
  const text = fileText(rig, "  web-[1-2]: {}");
  const file = path.join(path.dirname(rig.storePath), "machines.yml");
  writeFileSync(file, text);
  const instants = await rig.instantsOf("apply", [file]);
  let kills = 0;
  for (let at = first(); at <= instants; at += stride) {
    assert.equal((await rig.run("apply", [file], { at })).killed, true, `instant ${at} of ${instants} was not reached`);
    kills += 1;
    await applyFleet(rig.context, text, [], AbortSignal.timeout(60_000));
    assert.deepEqual(await rig.assertAllLoad(), ["web-1", "web-2"]);
    assert.equal((await rig.ours()).length, 2, `after instant ${at}`);
    rig.reset();
  }
  context.diagnostic(`${kills} kills at ${instants} instants`);
});
