/** Machines of the driver `qemu` whose memory is kept, against a fake QEMU: what is written, what goes on, what is given up. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { describe, test } from "node:test";
import { driverModule } from "../../src/drivers/qemu/index.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { installFakeQemu, scriptsRun } from "./fake-qemu.ts";
import { configured, created, isRunning, signal, type Made } from "./fake-world.ts";

const kept = ["suspended.json", "suspended.state"] as const;

async function suspended(flags?: Parameters<typeof created>[0]): Promise<Made> {
  const made = await created(flags);
  await made.driver.suspend?.(signal());
  return made;
}

function argumentsOf(made: Made): readonly string[] {
  return readFileSync(`/proc/${readFileSync(made.file("qemu.pid"), "utf8").trim()}/cmdline`, "utf8").split("\0");
}

describe("a machine that is suspended", () => {
  test("has no process, is saved, and goes on with its clock set and its ports open", async () => {
    await using made = await suspended();
    assert.equal(existsSync(made.file("qemu.pid")), false);
    assert.equal(await made.driver.getState(signal()), "Saved");
    for (const name of kept) assert.equal(statSync(made.file(name)).mode & 0o777, 0o600, name);
    const before = scriptsRun(made.world.folder).length;
    await made.driver.start(signal());
    assert.equal(await made.driver.getState(signal()), "Running");
    assert.match(scriptsRun(made.world.folder)[before] ?? "", /^date -u -s @\d+\.\d{3}/u);
    for (const name of kept) assert.equal(existsSync(made.file(name)), false, name);
  });

  test("is launched as it ran, whatever size it has been given since", async () => {
    await using made = await suspended();
    await made.driver.resize?.({ cpus: 1, memoryMiB: 1_024 }, signal());
    await made.driver.start(signal());
    const resumed = argumentsOf(made);
    assert.deepEqual([resumed[resumed.indexOf("-smp") + 1], resumed[resumed.indexOf("-m") + 1]], ["2", "2048M"]);
    assert.ok(resumed.includes("-incoming"));
    assert.ok(resumed.some((word) => word.startsWith("virtio-balloon-pci")));
  });

  test("is given the memory device that it had where it came out of a saved state", async () => {
    await using made = await suspended({ "qemu-save-state": "on" });
    await made.driver.start(signal());
    const resumed = argumentsOf(made);
    assert.ok(resumed.some((word) => word.startsWith("memory-backend-ram,id=mem0")));
    assert.equal(
      resumed.some((word) => word.startsWith("virtio-balloon-pci")),
      false,
    );
  });

  test("cannot shut down, is started by a restart, and loses its memory by kill alone", async () => {
    await using made = await suspended();
    await assert.rejects(
      made.driver.stop(signal()),
      (error) => isMachineError(error, "machine-state") && /kill web$/u.test(error.hint ?? ""),
    );
    await made.driver.restart(signal());
    assert.equal(await made.driver.getState(signal()), "Running");
    await made.driver.suspend?.(signal());
    await made.driver.kill(signal());
    assert.equal(await made.driver.getState(signal()), "Stopped");
    for (const name of kept) assert.equal(existsSync(made.file(name)), false, name);
    await assert.rejects(made.driver.suspend?.(signal()) ?? Promise.resolve(), { code: "machine-state" });
  });

  test("keeps its memory where it cannot be resumed, and leaves no process", async () => {
    await using made = await suspended();
    installFakeQemu(made.world.folder, { cannotRestore: true });
    await assert.rejects(
      made.driver.start(signal()),
      (error) => isMachineError(error, "driver-failed") && /docker-machine kill web/u.test(error.hint ?? ""),
    );
    assert.equal(await made.driver.getState(signal()), "Saved");
    writeFileSync(made.file("suspended.json"), "{}");
    await assert.rejects(made.driver.start(signal()), { code: "driver-failed" });
    installFakeQemu(made.world.folder);
    await made.driver.kill(signal());
    await made.driver.start(signal());
    assert.equal(await made.driver.getState(signal()), "Running");
  });

  test("that was cut off on the way goes on, and what was written is gone", async () => {
    await using made = await created();
    for (const name of kept) writeFileSync(made.file(name), "{}");
    await made.driver.start(signal());
    assert.equal(await made.driver.getState(signal()), "Running");
    for (const name of kept) assert.equal(existsSync(made.file(name)), false, name);
  });
});

describe("a machine that cannot be suspended", () => {
  test("because its state cannot be written runs on", async () => {
    await using made = await created(undefined, { cannotSave: true });
    const pid = Number(readFileSync(made.file("qemu.pid"), "utf8"));
    await assert.rejects(made.driver.suspend?.(signal()) ?? Promise.resolve(), { code: "driver-failed" });
    assert.ok(isRunning(pid));
    assert.equal(await made.driver.getState(signal()), "Running");
    for (const name of kept) assert.equal(existsSync(made.file(name)), false, name);
  });

  test("because it shows a folder says so and runs on", async () => {
    await using made = await created();
    const sharing = JSON.stringify({ ...(await made.config()), ShareFolders: ["/tmp:/mnt"] });
    const driver = driverModule.open(made.test.context, sharing);
    await assert.rejects(driver.suspend?.(signal()) ?? Promise.resolve(), { code: "driver-unsupported" });
    assert.equal(await driver.getState(signal()), "Running");
  });
});

test("--qemu-suspend makes it what stop does", async () => {
  await using made = await configured({ "qemu-suspend": true });
  assert.equal(made.driver.suspendsOnStop, true);
});
