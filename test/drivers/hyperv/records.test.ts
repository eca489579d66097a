/** Records of 0.16.2: opened, answered from, worked on by name and folder, and written back as that reads them. */
import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { driverModule } from "../../../src/drivers/hyperv/index.ts";
import type { Driver } from "../../../src/driver-kit/driver.ts";
import { describeRecordOrder, savedBy016 } from "../old-records.ts";
import { openScene, recordOf016, type Scene } from "./scene.ts";

/** A machine that 0.16.2 made: no id, no notes, an address of Hyper-V's choice. */
function old(scene: Scene): { readonly driver: Driver; readonly id: string; readonly disk: string } {
  const { machineDir } = scene.context;
  const disk = path.join(machineDir, "disk.vhd");
  writeFileSync(disk, "a disk");
  const { Id } = scene.hyperv.addForeign("web", {
    Generation: 1,
    State: "Running",
    ConfigurationLocation: path.join(machineDir, "web").toUpperCase(),
    disks: [disk],
    mac: "00155D0A0B0C",
    startedMs: 0,
  });
  return { driver: driverModule.open(scene.context, JSON.stringify(recordOf016())), id: Id, disk };
}

describeRecordOrder(driverModule, openScene, recordOf016());

test("a machine of 0.16.2 is known by its name and its folder, and is removed with its disk", async () => {
  await using scene = await openScene({}, { createId: undefined });
  const { hyperv, signal } = scene;
  const twin = hyperv.addForeign("web", { State: "Running" });
  const { driver, id, disk } = old(scene);
  assert.equal(await driver.getUrl(), "tcp://172.27.1.7:2376");
  assert.equal(await driver.hostKeys?.(), "none");
  assert.equal(await driver.getState(signal), "Running");
  await driver.locate?.(signal);
  assert.equal(await driver.getIp(), hyperv.addressOf(id));
  assert.deepEqual(await driver.findResources?.(signal), [{ kind: "instance", id }]);
  await driver.stop(signal);
  assert.equal(await driver.getState(signal), "Stopped");
  await driver.start(signal);
  await driver.remove(signal);
  assert.deepEqual(hyperv.state.vms, [twin]);
  assert.ok(!existsSync(disk));
});

test("where its folder is another's, a machine of 0.16.2 is gone, and nothing of that name is touched", async () => {
  await using scene = await openScene({}, { createId: undefined });
  const { hyperv, signal } = scene;
  const foreign = hyperv.addForeign("web", { ConfigurationLocation: `${scene.context.machineDir}-2` });
  const driver = driverModule.open(scene.context, JSON.stringify(recordOf016()));
  assert.equal(await driver.getState(signal), "");
  await driver.remove(signal);
  assert.deepEqual(hyperv.state.vms, [foreign]);
});

test("what a save of 0.16.2 drops of ours is found again by name and folder", async () => {
  await using scene = await openScene();
  const driver = await scene.created();
  const later = await savedBy016(driverModule, scene, driver);
  assert.equal(await later.getState(scene.signal), "Running");
  await later.remove(scene.signal);
  assert.deepEqual(scene.hyperv.state.vms, []);
});
