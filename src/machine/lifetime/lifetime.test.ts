/** Machines with an end: what is recorded, who is told and in which order, and what is removed once it has passed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MachineContext } from "../machine-context.ts";
import { changeState } from "../lifecycle.ts";
import { provisionAgain } from "../maintain.ts";
import { setProtection } from "../selection/protection.ts";
import { debianFacts } from "../../testing/fake-ssh-executor.ts";
import { failure, never, Scene } from "../../testing/scene.ts";
import { formatSpan, parseDeadline, parseIdle } from "./deadline.ts";
import { findExpired, removeExpired } from "./expired.ts";
import { setLifetime, type LifetimeChange } from "./set-lifetime.ts";
import { tellLifetime } from "./tell-lifetime.ts";

const now = new Date("2026-11-28T10:00:00Z");

describe("a deadline", () => {
  it("is a span from now on, or a time with its zone", () => {
    assert.equal(parseDeadline("8h", now).toISOString(), "2026-11-28T18:00:00.000Z");
    assert.equal(parseDeadline("1h30m", now).toISOString(), "2026-11-28T11:30:00.000Z");
    assert.equal(parseDeadline("2026-11-28T12:00+01:00", now).toISOString(), "2026-11-28T11:00:00.000Z");
  });

  it("is refused where it is none, has passed, or lies beyond all calendars", () => {
    for (const text of ["", "8", "soon", "-4h", "2026-11-28", "2026-13-28T18:00:00Z"])
      assert.throws(() => parseDeadline(text, now), /is no deadline/u, text);
    assert.throws(() => parseDeadline("2026-11-28T09:59:59Z", now), /has passed already; it is 2026-11-28 10:00:00 UTC/u);
    assert.throws(() => parseDeadline("9999d", now), /ten years/u);
    for (const text of ["5s", "2", "never"]) assert.throws(() => parseIdle(text), /no time without use/u, text);
  });

  it("is told in its two largest units", () => {
    assert.deepEqual([11_520, 59, 90_000, 0].map(formatSpan), ["3 h 12 min", "59 s", "1 d 1 h", "0 s"]);
  });
});

/** A machine whose engine is there and whose host answers. */
function ready(change: ConstructorParameters<typeof Scene>[0] = {}): Scene {
  return new Scene({ provisionable: true, injectsHostKeys: false, ...change }).withEngine();
}

/** Somebody's own box. */
function foreign(): Scene {
  const scene = ready({ adopted: true });
  scene.world.sshHost = "192.0.2.9";
  return scene;
}

const set = async (scene: Scene, change: Partial<LifetimeChange>): Promise<void> =>
  await setLifetime(scene.context, "web", { powerOff: false, ...change }, never);
const extra = async (scene: Scene) => (await scene.context.store.load("web")).extra;
const inHours = (hours: number): Date => parseDeadline(`${hours}h`, new Date());
/** As if so many hours had passed. */
const later = (scene: Scene, hours: number): MachineContext => ({
  ...scene.context,
  clock: { ...scene.context.clock, now: () => new Date(Date.now() + hours * 3_600_000) },
});

describe("create with an end", () => {
  it("records it, tells the provider before the instance is made, and says what it costs after", async () => {
    await using scene = ready({ whenPoweredOff: "billed" });
    scene.world.deadlines = [];
    await scene.create("web", { ttl: "8h" });
    const { Expires = "", LifetimePending } = await extra(scene);
    assert.ok(Math.abs(Date.parse(Expires) - Date.now() - 8 * 3_600_000) < 10_000, Expires);
    assert.equal(LifetimePending, undefined);
    assert.deepEqual(scene.world.deadlines, [new Date(Expires)]);
    assert.ok(scene.world.calls.indexOf("setLifetime") < scene.world.calls.indexOf("create"));
    assert.match(scene.said("info"), /"web" is powered off at .* UTC; its provider deletes it then/u);
  });

  it("says that a provider that deletes nothing goes on to bill it", async () => {
    await using scene = ready({ whenPoweredOff: "billed" });
    await scene.create("web", { ttl: "8h" });
    assert.match(scene.said("info"), /still billed until somebody runs: docker-machine gc --expired/u);
  });

  it("leaves no trace where the provider takes no such deadline", async () => {
    await using scene = ready();
    scene.world.deadlines = [];
    scene.fail("setLifetime");
    await assert.rejects(scene.create("web", { ttl: "8h" }));
    assert.deepEqual([await scene.names(), scene.world.instances.length], [[], 0]);
  });

  it("is refused for what was there before, unless it is given away, and for what has no system", async () => {
    await using adopted = foreign();
    for (const flags of [{ ttl: "8h" }, { idle: "2h" }]) {
      const refused = await failure(adopted.create("web", flags));
      assert.match(`${refused.message} ${refused.hint}`, /owner .*--ttl-power-off/u);
    }
    assert.deepEqual(await adopted.names(), []);
    await adopted.create("web", { ttl: "8h", "ttl-power-off": true });
    assert.equal((await extra(adopted)).TtlPowerOff, true);
    await using bare = new Scene();
    assert.equal((await failure(bare.create("web", { ttl: "8h" }))).code, "driver-unsupported");
  });

  it("goes on with the deadline that its provider was told", async () => {
    await using scene = ready();
    scene.world.deadlines = [];
    scene.world.after.set("create", () => {
      throw new Error("killed");
    });
    await assert.rejects(scene.create("web", { ttl: "8h" }));
    const { Expires } = await extra(scene);
    scene.world.after.clear();
    await scene.create("web", { ttl: "9h" });
    assert.equal((await extra(scene)).Expires, Expires);
    assert.equal(scene.world.deadlines.length, 1);
  });
});

describe("ttl", () => {
  it("moves a deadline and takes it back, at the provider and on the host", async () => {
    await using scene = ready();
    scene.world.deadlines = [];
    await scene.create("web", { ttl: "8h" });
    const { length } = scene.ssh.scripts;
    const deadline = inHours(4);
    await set(scene, { deadline });
    assert.equal((await extra(scene)).Expires, deadline.toISOString());
    assert.deepEqual(scene.ssh.scripts.slice(length), ["look", "install"]);
    await set(scene, { deadline: "off", idle: "off" });
    assert.equal((await extra(scene)).Expires, undefined);
    assert.deepEqual(scene.world.deadlines.slice(1), [deadline, undefined]);
    assert.match(scene.said("info"), /"web" goes on until it is removed/u);
  });

  it("changes nothing where the provider refuses", async () => {
    await using scene = ready();
    scene.world.deadlines = [];
    await scene.create("web", { ttl: "8h" });
    const before = await extra(scene);
    scene.fail("setLifetime");
    await assert.rejects(set(scene, { deadline: inHours(4) }));
    assert.deepEqual(await extra(scene), before);
  });

  it("of a machine that is off is told at its next start; an expired one is warned of", async () => {
    await using scene = ready();
    await scene.create();
    await changeState(scene.context, "web", "stop", never);
    await set(scene, { deadline: inHours(4) });
    assert.equal((await extra(scene)).LifetimePending, true);
    assert.equal((await tellLifetime(scene.context, "web", never)).isPending, true);
    await changeState(scene.context, "web", "start", never);
    assert.equal((await extra(scene)).LifetimePending, undefined);
    await changeState(scene.context, "web", "stop", never);
    await changeState(later(scene, 5), "web", "start", never);
    assert.match(scene.said("warn"), /The time of "web" is over: .*10 min after .*docker-machine ttl web 4h/u);
  });

  it("that could not reach the host stands in the record, and provision tells it", async () => {
    await using scene = ready();
    await scene.create();
    scene.ssh.says.set("install", [
      () => {
        throw new Error("the line broke");
      },
    ]);
    await assert.rejects(set(scene, { deadline: inHours(4) }), /the line broke/u);
    assert.equal((await extra(scene)).LifetimePending, true);
    await provisionAgain(scene.context, "web", never);
    assert.equal((await extra(scene)).LifetimePending, undefined);
  });

  it("stands nowhere where nothing on the host could end it", async () => {
    await using scene = ready();
    scene.world.deadlines = [];
    await scene.create();
    const before = await extra(scene);
    const facts = debianFacts.map(([key, value]) => [key, key === "init" ? "none" : value] as const);
    scene.ssh.says.set("look", [() => ({ facts })]);
    assert.equal((await failure(set(scene, { deadline: inHours(4) }))).code, "os-unsupported");
    assert.deepEqual(await extra(scene), before);
    assert.deepEqual(scene.world.deadlines.at(-1), undefined);
    assert.equal(scene.world.deadlines.length, 2);
  });

  it("tells since when a machine is idle, and why it is not", async () => {
    await using scene = ready();
    await scene.create("web", { idle: "2h" });
    scene.ssh.says.set("look", [() => ({ facts: [...debianFacts, ["own-path", "/etc/docker-machine/ttl.sh"]] })]);
    scene.ssh.says.set("install", [
      () => ({
        facts: [
          ["lifetime", "since=1764324000"],
          ["lifetime", "busy=the container db"],
        ],
      }),
    ]);
    const { idleSeconds, onHost } = await tellLifetime(scene.context, "web", never);
    assert.deepEqual(
      [idleSeconds, onHost?.busy, onHost?.idleSince?.toISOString()],
      [7_200, "the container db", "2025-11-28T10:00:00.000Z"],
    );
  });
});

describe("gc --expired", () => {
  it("removes what a create of ours made and whose deadline has passed, and nothing else", async () => {
    const scene = new Scene();
    for (const [name, hours] of [
      ["a", 1],
      ["b", 1],
      ["c", 9],
      ["d", undefined],
    ] as const) {
      await scene.create(name);
      const record = await scene.context.store.load(name);
      if (hours !== undefined) record.extra.Expires = inHours(hours).toISOString();
      await scene.context.store.save(record);
    }
    await setProtection(scene.context, "b", true, never);
    const context = later(scene, 2);
    const found = await findExpired(context);
    assert.deepEqual(
      found.map(({ name, isProtected }) => [name, isProtected]),
      [
        ["a", false],
        ["b", true],
      ],
    );
    const outcomes = await removeExpired(context, found, never);
    assert.deepEqual(
      outcomes.map(({ name, error }) => [name, error]),
      [["a", undefined]],
    );
    assert.deepEqual([...(await scene.names())].toSorted(), ["b", "c", "d"]);
    assert.equal(scene.world.instances.length, 3);
  });

  it("spares what was given more time, or made anew under the name, since it was found", async () => {
    const scene = new Scene();
    const expire = async (name: string): Promise<void> => {
      await scene.create(name);
      const record = await scene.context.store.load(name);
      record.extra.Expires = inHours(1).toISOString();
      await scene.context.store.save(record);
    };
    await expire("web");
    await expire("db");
    const context = later(scene, 2);
    const found = await findExpired(context);
    const record = await scene.context.store.load("web");
    record.extra.Expires = inHours(9).toISOString();
    await scene.context.store.save(record);
    await scene.remove("db");
    await expire("db");
    const outcomes = await removeExpired(context, found, never);
    for (const { error } of outcomes) assert.match(String(error), /changed meanwhile/u);
    assert.equal((await scene.names()).length, 2);
  });

  it("never touches what was adopted, and removes what an interrupted create left", async () => {
    await using adopted = foreign();
    await adopted.create("web", { ttl: "1h", "ttl-power-off": true });
    assert.deepEqual(await findExpired(later(adopted, 2)), []);
    await using scene = ready();
    scene.world.after.set("create", () => {
      throw new Error("killed");
    });
    await assert.rejects(scene.create("web", { ttl: "1h" }));
    const context = later(scene, 2);
    await removeExpired(context, await findExpired(context), never);
    assert.deepEqual([await scene.names(), scene.world.instances.length], [[], 0]);
  });
});
