/** Saved states of the driver `qemu`, against a fake QEMU. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { EngineTemplate, PreparedEngine } from "../../src/driver-kit/driver.ts";
import { driverModule } from "../../src/drivers/qemu/index.ts";
import { fingerprintFile } from "../../src/system/disk-files.ts";
import { systemClock } from "../../src/system/clock.ts";
import { testDriverContext } from "../../src/testing/driver-context.ts";
import type { FlagValue } from "../../src/driver-kit/create-flag.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { installFakeQemu, scriptsRun } from "./fake-qemu.ts";
import { configured, created, fakeWorld, flagsOf, isRunning, signal, type FakeWorld } from "./fake-world.ts";

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

  const damages: Readonly<Record<string, (file: string) => void>> = {
    "is cut short": (file) => truncateSync(file, Math.floor(statSync(file).size / 2)),
    "is overwritten in its length": (file) => writeFileSync(file, Buffer.alloc(statSync(file).size, "x")),
    "is empty": (file) => truncateSync(file),
    "is gone": (file) => rmSync(file),
  };
  for (const name of ["disk.qcow2", "memory.img", "devices.state", "state.json"]) {
    for (const [what, damage] of Object.entries(damages)) {
      test(`one whose ${name} ${what} is made anew, and said, and the machine runs`, async () => {
        await using first = await created({ "qemu-save-state": "on" });
        const states = path.join(first.test.context.cacheDir, "qemu", "states");
        const file = path.join(states, savedIn(states)[0] ?? "", name);
        // Nothing is saved into the fake's memory, and its disk is empty.
        if (name !== "state.json" && name !== "devices.state") await fill(file);
        damage(file);
        // Without its description there is no state, as where none was ever made.
        const isSaid = name !== "state.json" || what !== "is gone";
        assert.equal(
          (await warningsOfCreate(first.world, "db")).some((text) => text.includes("is damaged")),
          isSaid,
        );
        assert.deepEqual(await warningsOfCreate(first.world, "lb"), []);
        assert.equal(savesIn(first.world), 2);
      });
    }
  }

  test("one that was copied with its cache is read once, and stays", async () => {
    await using first = await created({ "qemu-save-state": "on" });
    const states = path.join(first.test.context.cacheDir, "qemu", "states");
    const folder = path.join(states, savedIn(states)[0] ?? "");
    utimesSync(path.join(folder, "devices.state"), 1, 1);
    assert.deepEqual(await warningsOfCreate(first.world, "db"), []);
    assert.equal(savesIn(first.world), 1);
    const { files } = JSON.parse(readFileSync(path.join(folder, "state.json"), "utf8")) as {
      files: Record<string, { modifiedMs: number }>;
    };
    assert.equal(files["devices.state"]?.modifiedMs, 1000);
  });

  test("the cache may be emptied between two machines, and while one is made of it", async () => {
    await using first = await created({ "qemu-save-state": "auto" });
    const images = path.join(first.test.context.cacheDir, "qemu", "images");
    const states = path.join(first.test.context.cacheDir, "qemu", "states");
    await using context = await testDriverContext("db", first.world.overrides);
    const driver = driverModule.open(context.context, undefined);
    await driver.setConfigFromFlags(flagsOf());
    // It has been found whole by then.
    context.onSave(async () => {
      if (((JSON.parse(await driver.configText()) as { HostKey: string }).HostKey ?? "") !== "")
        rmSync(images, { recursive: true, force: true });
    });
    await assert.rejects(
      driver.create(signal()),
      (error) =>
        isMachineError(error, "image-unusable") &&
        /was removed from the cache while a machine was made of it$/u.test(error.message) &&
        error.hint !== undefined,
    );
    assert.ok(existsSync(states));
    await driver.remove(signal());
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

  test("one that cannot be made is said and tried again, three times; then it takes the user's word", async () => {
    await using first = await created({ "qemu-save-state": "auto" }, { cannotSave: true });
    assert.equal(await first.driver.getState(signal()), "Running");
    const warnings = first.test.events.flatMap((event) => (event.type === "log" && event.level === "warn" ? [event.text] : []));
    assert.equal(warnings.length, 1);
    assert.match(warnings[0] ?? "", /^No state of the image could be saved \(.*\); the machine boots instead\.$/u);
    assert.match((await warningsOfCreate(first.world, "b")).join(), /^No state of the image could be saved/u);
    assert.match((await warningsOfCreate(first.world, "c")).join(), /^No state of the image could be saved/u);
    assert.equal(savesIn(first.world), 3);
    assert.match(
      (await warningsOfCreate(first.world, "d")).join(),
      /^Saving a state of the image: the last 3 attempts failed \(.*\); machines boot instead; --qemu-save-state on tries again\.$/u,
    );
    assert.equal(savesIn(first.world), 3);
    installFakeQemu(first.world.folder);
    assert.deepEqual(await warningsOfCreate(first.world, "e", { "qemu-save-state": "on" }), []);
    assert.deepEqual(await warningsOfCreate(first.world, "f"), []);
    assert.equal(savesIn(first.world), 4);
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

function savedIn(states: string): string[] {
  return readdirSync(states).filter((name) => /^[0-9a-f]+$/u.test(name));
}

/** How often an image was booted to save its state. */
function savesIn(world: FakeWorld): number {
  return scriptsRun(world.folder).filter((script) => script.includes("is-system-running")).length;
}

/** Gives a file content, and its note the hash and the time of it, as if it had been saved so. */
async function fill(file: string): Promise<void> {
  chmodSync(file, 0o600);
  writeFileSync(file, "something saved");
  const description = path.join(path.dirname(file), "state.json");
  const facts = JSON.parse(readFileSync(description, "utf8")) as { files: Record<string, object> };
  const { size, mtimeMs } = statSync(file);
  const fingerprint = await fingerprintFile(file, signal());
  facts.files[path.basename(file)] = { sizeBytes: size, modifiedMs: mtimeMs, fingerprint };
  writeFileSync(description, JSON.stringify(facts));
}

/** Makes a machine that runs and removes it; gives what it was warned of. */
async function warningsOfCreate(
  world: FakeWorld,
  name: string,
  flags: Readonly<Record<string, FlagValue>> = {},
): Promise<string[]> {
  await using context = await testDriverContext(name, world.overrides);
  const driver = driverModule.open(context.context, undefined);
  await driver.setConfigFromFlags(flagsOf(flags));
  await driver.create(signal());
  assert.equal(await driver.getState(signal()), "Running");
  await driver.remove(signal());
  return context.events.flatMap((event) => (event.type === "log" && event.level === "warn" ? [event.text] : []));
}
