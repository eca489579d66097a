/** `edit` and `console` on a simulated vCenter. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused } from "../driver-scene.ts";
import { describeResizing } from "../resizing.ts";
import { openScene } from "./scene.ts";
import { vcsimMissing } from "./vcsim.ts";

describeResizing("vmwarevsphere", {
  skip: vcsimMissing,
  open: async () => await openScene(),
  sizesOf: async ({ vcenter }) => {
    const { cpus, memoryMB } = await vcenter.vm("web");
    return { cpus, memoryMiB: memoryMB };
  },
  fields: { cpus: "CPU", memoryMiB: "Memory" },
  impossible: [
    [{ cpus: 769 }, /is too large: 768 is the most/u],
    [{ cpus: 700 }, /^--vmwarevsphere-cpu-count 700 is more than any host has that the VM can run on: \d+ processors$/u],
    [{ memoryMiB: 4_194_304 }, /^--vmwarevsphere-memory-size 4194304 is more than any host has that the VM can run on: \d+ MB$/u],
  ],
  lose: async ({ vcenter }) => {
    const { ref } = await vcenter.vm("web");
    await vcenter.lab("rename", { vm: ref, instanceUuid: "11111111-2222-4333-8444-777777777777" });
  },
});

test("there is no console, and where the screen is is said", { skip: vcsimMissing }, async () => {
  await using scene = await openScene();
  const driver = await scene.configured();
  const error = await assertRefused(driver.console?.(scene.signal) ?? assert.fail(), "driver-unsupported", /kept nowhere$/u);
  assert.match(error.hint ?? "", /Launch Web Console/u);
});
