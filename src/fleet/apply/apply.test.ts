import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FleetScene } from "../../../test/support/fleet-scene.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { setProtection } from "../../machine/selection/protection.ts";
import { failure, never } from "../../testing/scene.ts";

const three = "  web-[1-3]: {fake-size: small, labels: {role: web}}";

describe("apply", () => {
  it("makes what the file says, and a hundred plans after it find nothing", async () => {
    const scene = new FleetScene();
    assert.deepEqual(await scene.actions(three), ["web-1 create", "web-2 create", "web-3 create"]);
    await scene.applied(three);
    assert.equal(scene.world.instances.length, 3);
    assert.deepEqual((await scene.context.store.load("web-2")).extra.Labels, { role: "web" });
    for (let time = 0; time < 100; time += 1) assert.deepEqual(await scene.actions(three), []);
  });

  it("changes labels and protection in the record alone, and leaves alone what others gave", async () => {
    const scene = new FleetScene();
    await scene.applied(three);
    const before = scene.world.calls.length;
    const { extra } = await scene.context.store.load("web-1");
    const record = await scene.context.store.load("web-1");
    await scene.context.store.save({ ...record, extra: { ...extra, Labels: { role: "web", mine: "yes" } } });
    assert.deepEqual(await scene.actions(three), []);
    await scene.applied("  web-[1-3]: {fake-size: small, labels: {tier: front}, protect: true}");
    const now = (await scene.context.store.load("web-1")).extra;
    assert.deepEqual([now.Labels, now.Protected], [{ mine: "yes", tier: "front" }, true]);
    await scene.applied("  web-[1-3]: {fake-size: small, labels: {tier: front}, protect: false}");
    assert.equal((await scene.context.store.load("web-1")).extra.Protected, undefined);
    assert.equal(scene.world.calls.length, before);
  });

  it("resizes where the driver can, and replaces nothing that nobody asked for", async () => {
    const scene = new FleetScene();
    scene.world.sizes = [];
    await scene.applied("  a: {fake-cpus: 2, fake-memory: 1GB, fake-size: small}");
    const bigger = "  a: {fake-cpus: 4, fake-memory: 2GB, fake-size: large}";
    const [machine] = (await scene.plan(bigger)).machines;
    assert.deepEqual(
      machine?.changes.map(({ key, from, to, effect }) => [key, from, to, effect]),
      [
        ["fake-cpus", "2", "4", "resize"],
        ["fake-memory", "1024", "2048", "resize"],
        ["fake-size", "small", "large", "replacement"],
      ],
    );
    await scene.applied(bigger);
    assert.deepEqual(scene.world.sizes, [{ cpus: 4, memoryMiB: 2048 }]);
    assert.deepEqual(await scene.actions(bigger), ["a replace"]);
    assert.equal((await scene.config("a"))["Size"], "small");
    const [{ id } = { id: "" }] = scene.world.instances;
    await scene.applied(bigger, { replace: ["a"] });
    assert.deepEqual([(await scene.config("a"))["Size"], scene.world.instances.length], ["large", 1]);
    assert.notEqual(scene.world.instances[0]?.id, id);
    assert.deepEqual(await scene.actions(bigger), []);
  });

  it("removes what is in the file no more only when it is asked to, and nobody is renumbered", async () => {
    const scene = new FleetScene();
    await scene.applied(three);
    const ids = new Map(
      await Promise.all(["web-1", "web-3"].map(async (name) => [name, (await scene.config(name))["InstanceId"]] as const)),
    );
    const two = "  web-[1,3]: {fake-size: small, labels: {role: web}}";
    assert.deepEqual(await scene.actions(two), ["web-2 remove"]);
    await scene.applied(two);
    assert.equal(scene.world.instances.length, 3);
    await scene.applied(two, { prune: true });
    assert.deepEqual((await scene.names()).toSorted(), ["web-1", "web-3"]);
    for (const [name, id] of ids) assert.equal((await scene.config(name))["InstanceId"], id);
  });

  it("never removes or replaces what is protected", async () => {
    const scene = new FleetScene();
    await scene.applied(three);
    await setProtection(scene.context, "web-2", true, never);
    await scene.applied("  web-[1,3]: {fake-size: small, labels: {role: web}}", { prune: true });
    assert.ok((await scene.names()).includes("web-2"));
    assert.equal((await failure(scene.apply(three, { replace: ["web-1", "web-2"] }))).code, "machine-protected");
    assert.equal(scene.world.instances.length, 3);
  });

  it("does not touch what another fleet or a person made, and marks what is as the file says", async () => {
    const scene = new FleetScene();
    await scene.applied("  a: {fake-size: small}", {});
    await scene.create("mine", { "fake-size": "small" });
    await scene.create("other", { "fake-size": "large" });
    const text = "  a: {fake-size: small}\n  mine: {fake-size: small}\n  other: {fake-size: small}";
    assert.deepEqual(await scene.actions(text, "depot"), ["a refuse", "mine mark", "other refuse"]);
    const { machines } = await scene.plan(text, "depot");
    assert.equal(machines[0]?.reason, "it is of the fleet shop");
    assert.match(machines[2]?.reason ?? "", /differs from it: fake-size is "large", not "small"$/u);
    const error = await failure(scene.apply(text, { replace: ["a"] }, { fleet: "depot" }));
    assert.deepEqual([error.code, error.message], ["fleet-foreign", '"a" is of the fleet shop']);
    for (const [name, message] of [
      ["a", /^"a" is of the fleet shop$/u],
      ["other", /^"other" was not made by this file, and differs from it: fake-size is "large", not "small"$/u],
    ] as const) {
      const named = await failure(scene.apply(text, {}, { fleet: "depot", only: ["mine", name] }));
      assert.equal(named.code, "fleet-foreign");
      assert.match(named.message, message);
    }
    assert.deepEqual(await scene.actions(text, "depot"), ["a refuse", "mine mark", "other refuse"]);
    const outcomes = await scene.apply(text, { prune: true }, { fleet: "depot" });
    assert.deepEqual(
      outcomes.map(({ name, error: each }) => [name, each]),
      [["mine", undefined]],
    );
    assert.equal((await scene.context.store.load("mine")).extra.Fleet?.Name, "depot");
    assert.equal((await scene.context.store.load("a")).extra.Fleet?.Name, "shop");
    assert.equal(scene.world.instances.length, 3);
  });

  it("makes nothing where one of several cannot be made", async () => {
    const scene = new FleetScene();
    const error = await failure(scene.apply("  a: {fake-size: small}\n  b: {fake-size: none}"));
    assert.equal(error.message, 'm.yml:6:7: "b" cannot be what this says: --fake-size "none" is not a size');
    assert.deepEqual(await scene.names(), []);
    await scene.applied("  a: {fake-size: small}");
    await failure(scene.apply("  a: {fake-size: none}", { replace: ["a"] }));
    assert.equal(scene.world.instances.length, 1);
  });

  it("keeps a failure beside its machine, and goes on the next time", async () => {
    const scene = new FleetScene();
    let count = 0;
    scene.world.after.set("create", () => {
      count += 1;
      if (count === 2) throw new MachineError("provider-unreachable", "the answer was lost");
    });
    const outcomes = await scene.apply(three, {}, { parallel: 1 });
    assert.deepEqual(
      outcomes.map(({ error }) => (error as MachineError | undefined)?.code),
      [undefined, "provider-unreachable", undefined],
    );
    assert.deepEqual(await scene.actions(three), ["web-2 continue"]);
    assert.match((await scene.plan(three)).machines[1]?.reason ?? "", /^its create failed at "instance": it is gone on with$/u);
    await scene.applied(three);
    assert.deepEqual([scene.world.instances.length, await scene.actions(three)], [3, []]);
  });

  it("begins nothing more after an interrupt, and undoes what it was at", async () => {
    const scene = new FleetScene();
    const stop = new AbortController();
    let count = 0;
    scene.world.after.set("create", () => {
      count += 1;
      if (count === 2) stop.abort(new MachineError("interrupted", "Interrupted"));
    });
    await scene.apply(three, {}, { parallel: 1, signal: stop.signal });
    assert.deepEqual([await scene.names(), scene.world.instances.length], [["web-1"], 1]);
    scene.world.after.clear();
    await scene.applied(three);
    assert.equal(scene.world.instances.length, 3);
  });

  it("makes one machine at a time where the driver can no more", async () => {
    for (const parallelCreate of [true, false]) {
      const scene = new FleetScene({ parallelCreate });
      let [now, most] = [0, 0];
      const all = Promise.withResolvers<void>();
      scene.world.before.set("create", async () => {
        now += 1;
        most = Math.max(most, now);
        if (now === 3) all.resolve();
        await (parallelCreate ? all.promise : new Promise((resolve) => setImmediate(resolve)));
        now -= 1;
      });
      await scene.applied(three);
      assert.equal(most, parallelCreate ? 3 : 1);
    }
  });

  it("is about the machines that are named alone", async () => {
    const scene = new FleetScene();
    await scene.apply(three, {}, { only: ["web-2"] });
    assert.deepEqual(await scene.names(), ["web-2"]);
    const error = await failure(scene.apply(three, {}, { only: ["web-9"] }));
    assert.deepEqual([error.code, error.hint], ["machine-not-found", 'Did you mean "web-1"?']);
  });

  it("waits for another apply of the fleet, and not for one of another", async () => {
    const scene = new FleetScene();
    await using _held = await scene.context.store.lockFleet("shop", { purpose: "apply of the fleet shop", waitMs: 0 });
    const patient = scene.site;
    Object.assign(scene, { site: { ...patient, timeouts: { ...patient.timeouts, lockMs: 0 } } });
    const error = await failure(scene.apply(three));
    assert.equal(error.code, "machine-busy");
    assert.match(error.message, /^the fleet "shop" is in use by docker-machine apply of the fleet shop/u);
    Object.assign(scene, { site: patient });
    await scene.apply(three, {}, { fleet: "depot" });
    assert.equal(scene.world.instances.length, 3);
  });

  it("takes values from the environment, and finds the file's again when they change", async () => {
    const scene = new FleetScene();
    await scene.applied('  a: {fake-size: "${SIZE}"}');
    assert.equal((await scene.config("a"))["Size"], "huge");
    assert.deepEqual(await scene.actions("  a: {fake-size: huge}"), []);
  });
});
