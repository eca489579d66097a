/** `edit` and `console` on the stand-in for VBoxManage. */
import assert from "node:assert/strict";
import { rmSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { assertRefused } from "../driver-scene.ts";
import { describeResizing } from "../resizing.ts";
import { openScene, type Scene } from "./scene.ts";

function vmOf({ world }: Scene) {
  return world.vbox.state.vms[0] ?? assert.fail("there is no VM");
}

describeResizing("virtualbox", {
  open: async () => await openScene({ computer: { memoryMiB: 4_096, cpus: 4 } }),
  sizesOf: (scene) => ({ cpus: Number(vmOf(scene).settings["cpus"]), memoryMiB: Number(vmOf(scene).settings["memory"]) }),
  fields: { cpus: "CPU", memoryMiB: "Memory" },
  impossible: [
    [{ cpus: 5 }, /^--virtualbox-cpu-count 5 is more than this computer has: 4$/u],
    [{ cpus: 33 }, /^--virtualbox-cpu-count 33 is too large: 32 is the most$/u],
    [{ memoryMiB: 4_097 }, /^--virtualbox-memory 4097 is more than this computer has: 4096 MB$/u],
  ],
  lose: ({ world }) => void world.vbox.state.vms.splice(0),
});

test("a machine whose memory was saved keeps its size: it is told to be stopped first", async () => {
  await using scene = await openScene();
  const driver = await scene.created();
  vmOf(scene).state = "saved";
  await assertRefused(driver.resize?.({ cpus: 1 }, scene.signal) ?? assert.fail(), "machine-state", /^"web" is Saved: /u);
});

test("a full disk is told, and the record is as before", async () => {
  const fullDiskAt: string[] = [];
  await using scene = await openScene({ fake: { fullDiskAt } });
  const driver = await scene.created();
  await driver.stop(scene.signal);
  const before = await driver.configText();
  fullDiskAt.push("modifyvm");
  await assertRefused(driver.resize?.({ cpus: 1 }, scene.signal) ?? assert.fail(), "disk-full", /There is no room/u);
  assert.equal(await driver.configText(), before);
});

test("the console is what the guest wrote to its file, and a machine without one says where its screen is", async () => {
  await using scene = await openScene();
  const driver = await scene.created();
  const file = path.join(scene.context.machineDir, "console.log");
  writeFileSync(file, "Debian GNU/Linux 13 web ttyS0\n");
  assert.equal(await driver.console?.(scene.signal), "Debian GNU/Linux 13 web ttyS0\n");
  rmSync(file);
  const error = await assertRefused(driver.console?.(scene.signal) ?? assert.fail(), "driver-unsupported", /kept nowhere$/u);
  assert.match(error.hint ?? "", /VBoxManage startvm web/u);
});
