/** Saved states of the driver `qemu`, against a fake QEMU. */
import assert from "node:assert/strict";
import { appendFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { EngineTemplate, PreparedEngine } from "../../src/driver-kit/driver.ts";
import { driverModule } from "../../src/drivers/qemu/index.ts";
import { systemClock } from "../../src/system/clock.ts";
import { testDriverContext, type TestContext } from "../../src/testing/driver-context.ts";
import { scriptsRun } from "./fake-qemu.ts";
import { configured, created, fakeWorld, flagsOf, isRunning, signal } from "./fake-world.ts";

describe("saved state", () => {
  test("the first machine makes one, the second uses it, and each gets an identity of its own", async () => {
    await using first = await created({ "qemu-save-state": "on" });
    assert.match(scriptsRun(first.world.folder)[0] ?? "", /is-system-running --wait/u);
    await using secondContext = await testDriverContext("db", first.world.overrides);
    const second = driverModule.open(secondContext.context, undefined);
    await second.setConfigFromFlags(flagsOf({ "qemu-save-state": "on" }));
    await second.create(signal());
    const scripts = scriptsRun(first.world.folder);
    assert.equal(scripts.filter((script) => script.includes("is-system-running")).length, 1);
    const [one = "", two = "", ...others] = scripts.filter((script) => script.includes("BEGIN OPENSSH PRIVATE KEY"));
    assert.deepEqual(others, []);
    for (const own of [
      /echo (\S+) > \/proc\/sys\/kernel\/hostname/u,
      /'([0-9a-f]{32})\n' > \/etc\/machine-id/u,
      /printf '%s' '(ssh-ed25519 \S+) /u,
    ]) {
      assert.notEqual(own.exec(two)?.[1], undefined);
      assert.notEqual(own.exec(two)?.[1], own.exec(one)?.[1]);
    }
    await second.remove(signal());
  });

  test("carries an engine that was set up once, for machines that want such a one", async () => {
    const world = await fakeWorld();
    const prepared: string[] = [];
    const templateOf = (key: string): EngineTemplate => ({
      key,
      prepare: async (executor, address) => {
        prepared.push(`${key} ${address} ${(await executor.run("set up the engine")).status}`);
        return { certificate: `certificate ${key}`, key: "secret" };
      },
    });
    const createWith = async (key: string): Promise<PreparedEngine | undefined> => {
      await using given = await testDriverContext("web", { ...world.overrides, engineTemplate: async () => templateOf(key) });
      const driver = driverModule.open(given.context, undefined);
      await driver.setConfigFromFlags(flagsOf({ "qemu-save-state": "on" }));
      await driver.create(signal());
      await driver.remove(signal());
      return driver.preparedEngine?.();
    };
    assert.deepEqual(await createWith("a"), { templateKey: "a", certificate: "certificate a", key: "secret" });
    assert.deepEqual(await createWith("a"), { templateKey: "a", certificate: "certificate a", key: "secret" });
    assert.equal((await createWith("b"))?.templateKey, "b");
    assert.deepEqual(prepared, ["a 127.0.0.1 0", "b 127.0.0.1 0"]);
    assert.ok(scriptsRun(world.folder).includes("set up the engine"));
  });

  test("is keyed by what makes guests differ", async () => {
    await using first = await created({ "qemu-save-state": "on" });
    await using secondContext = await testDriverContext("db", first.world.overrides);
    const second = driverModule.open(secondContext.context, undefined);
    await second.setConfigFromFlags(flagsOf({ "qemu-save-state": "on", "qemu-memory": 1024 }));
    await second.create(signal());
    const states = readdirSync(path.join(first.test.context.cacheDir, "qemu", "states")).filter((name) =>
      /^[0-9a-f]+$/u.test(name),
    );
    assert.equal(states.length, 2);
    await second.remove(signal());
  });

  test("one whose files are no longer as they were saved is made anew, with a warning", async () => {
    await using first = await created({ "qemu-save-state": "on" });
    const states = path.join(first.test.context.cacheDir, "qemu", "states");
    const [state = ""] = readdirSync(states).filter((name) => /^[0-9a-f]+$/u.test(name));
    const warningsOf = async (name: string): Promise<string[]> => {
      await using context = await testDriverContext(name, first.world.overrides);
      const driver = driverModule.open(context.context, undefined);
      await driver.setConfigFromFlags(flagsOf({ "qemu-save-state": "on" }));
      await driver.create(signal());
      await driver.remove(signal());
      return context.events.flatMap((event) => (event.type === "log" && event.level === "warn" ? [event.text] : []));
    };
    appendFileSync(path.join(states, state, "memory.img"), "more");
    assert.match((await warningsOf("db")).join(), /saved state in .* is damaged \(memory.img\) and is made anew/u);
    assert.deepEqual(await warningsOf("lb"), []);
    assert.equal(scriptsRun(first.world.folder).filter((script) => script.includes("is-system-running")).length, 2);
  });

  test("one that cannot be restored is removed, and the machine boots", async () => {
    await using made = await created({ "qemu-save-state": "auto" }, { cannotRestore: true });
    assert.equal(await made.driver.getState(signal()), "Running");
    assert.deepEqual(
      readdirSync(path.join(made.test.context.cacheDir, "qemu", "states")).filter((name) => /^[0-9a-f]+$/u.test(name)),
      [],
    );
    for (const part of ["memory.img", "devices.state"]) assert.equal(existsSync(made.file(part)), false);
  });

  test("one that is not finished for Ctrl-C leaves no guest and no half state", async () => {
    await using made = await configured({ "qemu-save-state": "auto" }, { mute: true });
    const abort = new AbortController();
    const creating = made.driver.create(abort.signal);
    const states = path.join(made.test.context.cacheDir, "qemu", "states");
    const halves = (): string[] => (existsSync(states) ? readdirSync(states).filter((name) => name.includes(".tmp-")) : []);
    const pidFile = (): string => path.join(states, halves()[0] ?? "", "qemu.pid");
    while (!existsSync(pidFile())) await Promise.race([creating, systemClock.sleep(10)]);
    const pid = Number(readFileSync(pidFile(), "utf8"));
    abort.abort(new Error("interrupted"));
    await assert.rejects(creating, /interrupted/u);
    assert.deepEqual([isRunning(pid), halves(), readdirSync(states).filter((name) => name.endsWith(".failed"))], [false, [], []]);
  });

  test("one that cannot be made is not tried again, and the machine boots", async () => {
    await using first = await created({ "qemu-save-state": "auto" }, { cannotSave: true });
    assert.equal(await first.driver.getState(signal()), "Running");
    const warnings = (given: TestContext): number =>
      given.events.filter(
        (event) => event.type === "log" && event.level === "warn" && event.text.startsWith("No state of the image"),
      ).length;
    assert.equal(warnings(first.test), 1);
    await using secondContext = await testDriverContext("db", first.world.overrides);
    const second = driverModule.open(secondContext.context, undefined);
    await second.setConfigFromFlags(flagsOf());
    await second.create(signal());
    assert.equal(warnings(secondContext), 0);
    await second.remove(signal());
  });

  test("holds no key, no seed and no socket", async () => {
    await using made = await created({ "qemu-save-state": "on" });
    const states = path.join(made.test.context.cacheDir, "qemu", "states");
    const state = readdirSync(states).find((name) => /^[0-9a-f]+$/u.test(name)) ?? "";
    assert.deepEqual(readdirSync(path.join(states, state)).sort(), [
      "devices.state",
      "disk.qcow2",
      "id",
      "memory.img",
      "state.json",
    ]);
  });
});
