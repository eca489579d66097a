/** What single commands change on machines of a fleet is shown by the next plan, and put back by the next apply. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FleetScene } from "../../../test/support/fleet-scene.ts";
import { resizeMachine } from "../../machine/edit.ts";
import { setLifetime, type LifetimeChange } from "../../machine/lifetime/set-lifetime.ts";
import { never } from "../../testing/scene.ts";
import { recordedValue } from "./by-hand.ts";
import type { HostExtra } from "../../store/host-record.ts";

async function made(text: string): Promise<FleetScene> {
  const scene = new FleetScene({ provisionable: true, injectsHostKeys: false });
  scene.withEngine();
  await scene.applied(text);
  assert.deepEqual(await changes(scene, text), []);
  return scene;
}

const changes = async (scene: FleetScene, text: string): Promise<string[]> =>
  (await scene.plan(text)).machines.flatMap((machine) =>
    machine.changes.map(({ key, from, to, effect }) => `${key} ${from} → ${to} (${effect})`),
  );
const lifetime = async (scene: FleetScene, change: Partial<LifetimeChange>): Promise<void> =>
  await setLifetime(scene.site, "web", { powerOff: false, ...change }, never);

async function withExtra(scene: FleetScene, change: Partial<HostExtra>): Promise<void> {
  const record = await scene.context.store.load("web");
  await scene.context.store.save({ ...record, extra: { ...record.extra, ...change } });
}

describe("what was changed by hand", () => {
  const text = "  web: {fake-size: small, ttl: 8h, idle: 2h}";

  it("is a deadline that was taken away, or is another one", async () => {
    const scene = await made(text);
    await lifetime(scene, { deadline: "off" });
    assert.deepEqual(await changes(scene, text), ["ttl off → 8h (lifetime)"]);
    await scene.applied(text);
    assert.deepEqual(await changes(scene, text), []);
    const later = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3 * 3_600_000);
    await lifetime(scene, { deadline: later });
    assert.deepEqual(await changes(scene, text), [`ttl ${later.toISOString().replace(".000Z", "Z")} → 8h (lifetime)`]);
    await scene.applied(text);
    assert.deepEqual(await changes(scene, text), []);
    const { Expires = "" } = (await scene.context.store.load("web")).extra;
    assert.ok(Date.parse(Expires) > later.getTime());
  });

  it("is an instant that is another one, unless the file's has passed", async () => {
    const soon = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000).toISOString().replace(".000Z", "Z");
    const fixed = `  web: {fake-size: small, ttl: "${soon}"}`;
    const scene = await made(fixed);
    await withExtra(scene, { Expires: "2037-01-01T00:00:00.000Z" });
    assert.deepEqual(await changes(scene, fixed), [`ttl 2037-01-01T00:00:00Z → ${soon} (lifetime)`]);
    await lifetime(scene, { deadline: "off" });
    assert.deepEqual(await changes(scene, fixed), [`ttl off → ${soon} (lifetime)`]);
  });

  it("is a time without use", async () => {
    const scene = await made(text);
    await lifetime(scene, { idle: 5_400 });
    assert.deepEqual(await changes(scene, text), ["idle 90m → 2h (lifetime)"]);
    await lifetime(scene, { idle: "off" });
    assert.deepEqual(await changes(scene, text), ["idle off → 2h (lifetime)"]);
    await scene.applied(text);
    assert.equal((await scene.context.store.load("web")).extra.IdleSeconds, 7_200);
  });

  it("is left alone where the file does not say it", async () => {
    const scene = await made("  web: {fake-size: small}");
    await lifetime(scene, { deadline: new Date(Date.now() + 3_600_000), idle: 3_600 });
    assert.deepEqual(await changes(scene, "  web: {fake-size: small}"), []);
  });

  it("is another size", async () => {
    const sized = "  web: {fake-size: small, fake-cpus: 2, fake-memory: 1GB}";
    const scene = await made(sized);
    scene.world.sizes = [];
    await resizeMachine(scene.site, "web", { cpus: 4 }, never);
    assert.deepEqual(await changes(scene, sized), ["fake-cpus 4 → 2 (resize)"]);
    await scene.applied(sized);
    assert.deepEqual([scene.world.sizes.at(-1)?.cpus, await changes(scene, sized)], [2, []]);
  });

  it("is another version of the engine", async () => {
    const keyed = `  web: {fake-size: small, engine: {version: "28.3"}}`;
    const scene = await made(keyed);
    await withExtra(scene, { EngineVersion: "28.4" });
    assert.deepEqual(await changes(scene, keyed), ["engine-version 28.4 → 28.3 (engine-upgrade)"]);
  });

  it("is a host key that was accepted in place of the file's, or forgotten", () => {
    const [key, other] = [`SHA256:${"a".repeat(43)}`, `SHA256:${"b".repeat(43)}`];
    const recorded = (extra: HostExtra): string | undefined => recordedValue("ssh-host-key", `${key}=`, extra, new Date());
    assert.deepEqual([{ SshHostKey: key }, { SshHostKey: other }, {}].map(recorded), [undefined, other, "any"]);
  });
});
