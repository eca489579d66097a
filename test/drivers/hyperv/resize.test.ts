/** `edit` and `console` on the stand-in for Hyper-V. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertRefused, configOf } from "../driver-scene.ts";
import { describeResizing } from "../resizing.ts";
import { newWorld, openScene, type Scene } from "./scene.ts";
import { HastyClock } from "../../support/hasty-clock.ts";

const mib = 1024 * 1024;

/** On a computer of this size. */
async function openSmall(): Promise<Scene> {
  return await openScene({}, {}, (behaviour) => {
    const world = newWorld(new HastyClock(), behaviour);
    return { ...world, context: { ...world.context, computer: { ...world.context.computer, memoryMiB: 4_096, cpus: 4 } } };
  });
}

describeResizing("hyperv", {
  open: openSmall,
  sizesOf: (scene) => ({ cpus: scene.own().cpus, memoryMiB: scene.own().memory.startup / mib }),
  fields: { cpus: "CPU", memoryMiB: "MemSize" },
  impossible: [
    [{ cpus: 5 }, /^--hyperv-cpu-count 5 is more than this computer has: 4$/u],
    [{ cpus: 241 }, /^--hyperv-cpu-count 241 is too large: 240 is the most$/u],
    [{ memoryMiB: 4_098 }, /^--hyperv-memory 4098 is more than this computer has: 4096 MB$/u],
    [{ memoryMiB: 1_025 }, /is odd/u],
  ],
  lose: ({ hyperv }) => hyperv.save({ ...hyperv.state, vms: [] }),
});

test("the bounds of dynamic memory follow its size", async () => {
  await using scene = await openSmall();
  const driver = await scene.created({ "hyperv-memory": 1_024, "hyperv-memory-max": 1_536 });
  await driver.stop(scene.signal);
  await driver.resize?.({ memoryMiB: 2_048 }, scene.signal);
  assert.deepEqual(scene.own().memory, { startup: 2_048 * mib, isDynamic: true, minimum: 512 * mib, maximum: 2_048 * mib });
  assert.equal((await configOf(driver))["MemoryMax"], 2_048);
  await driver.resize?.({ memoryMiB: 768 }, scene.signal);
  assert.deepEqual(scene.own().memory, { startup: 768 * mib, isDynamic: true, minimum: 512 * mib, maximum: 2_048 * mib });
});

test("static memory has no bounds", async () => {
  await using scene = await openSmall();
  const driver = await scene.created({ "hyperv-disable-dynamic-memory": true });
  await driver.stop(scene.signal);
  await driver.resize?.({ memoryMiB: 2_048, cpus: 3 }, scene.signal);
  assert.deepEqual([scene.own().memory, scene.own().cpus], [{ startup: 2_048 * mib, isDynamic: false }, 3]);
});

test("there is no console in a file, and where the screen is is said", async () => {
  await using scene = await openScene();
  const driver = await scene.created();
  const error = await assertRefused(driver.console?.(scene.signal) ?? assert.fail(), "driver-unsupported", /kept nowhere$/u);
  assert.match(error.hint ?? "", /vmconnect localhost web/u);
});
