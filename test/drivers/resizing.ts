/** What `edit` asks of every driver of virtual machines that are resized while they are switched off. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Driver } from "../../src/driver-kit/driver.ts";
import type { SizeChange } from "../../src/driver-kit/sizes.ts";
import { assertRefused, configOf, type DriverScene } from "./driver-scene.ts";

export interface Sizes {
  readonly cpus: number;
  readonly memoryMiB: number;
}

export interface Resizing<Scene extends DriverScene> {
  open(): Promise<Scene>;
  /** Of the one machine, as its hypervisor has them. */
  sizesOf(scene: Scene): Sizes | Promise<Sizes>;
  /** The record's fields. */
  readonly fields: { readonly cpus: string; readonly memoryMiB: string };
  /** Changes that the computer, or the hypervisor, cannot meet, with what is said. */
  readonly impossible: readonly (readonly [SizeChange, RegExp])[];
  /** Takes the machine away behind the driver's back. */
  lose(scene: Scene): void | Promise<void>;
  readonly skip?: string | false | undefined;
}

async function resize(driver: Driver, change: SizeChange, { signal }: DriverScene): Promise<unknown> {
  return await driver.resize?.(change, signal);
}

export function describeResizing<Scene extends DriverScene>(name: string, rig: Resizing<Scene>): void {
  const { fields, impossible } = rig;
  const recorded = async (driver: Driver): Promise<Sizes> => {
    const config = await configOf(driver);
    return { cpus: config[fields.cpus] as number, memoryMiB: config[fields.memoryMiB] as number };
  };

  describe(`other sizes for a machine of ${name}`, { skip: rig.skip ?? false }, () => {
    test("count from its next start on, one or both of them, and are recorded", async () => {
      await using scene = await rig.open();
      const driver = await scene.created();
      const before = await rig.sizesOf(scene);
      await driver.stop(scene.signal);
      assert.deepEqual(await resize(driver, { cpus: 2 }, scene), { fromNextStart: false });
      assert.deepEqual(await rig.sizesOf(scene), { ...before, cpus: 2 });
      await resize(driver, { memoryMiB: 1_536 }, scene);
      await resize(await scene.reopened(driver), { cpus: 1, memoryMiB: 2_048 }, scene);
      assert.deepEqual(await rig.sizesOf(scene), { cpus: 1, memoryMiB: 2_048 });
      await resize(driver, { cpus: 2, memoryMiB: 768 }, scene);
      assert.deepEqual(
        [await rig.sizesOf(scene), await recorded(driver)],
        [
          { cpus: 2, memoryMiB: 768 },
          { cpus: 2, memoryMiB: 768 },
        ],
      );
      await driver.start(scene.signal);
      assert.deepEqual([await driver.getState(scene.signal), await rig.sizesOf(scene)], ["Running", { cpus: 2, memoryMiB: 768 }]);
    });

    test("are refused while it runs, and where there is none", async () => {
      await using scene = await rig.open();
      const driver = await scene.created();
      const [before, noted] = [await rig.sizesOf(scene), await recorded(driver)];
      await assertRefused(
        resize(driver, { cpus: 2, memoryMiB: 2_048 }, scene),
        "machine-state",
        /^"web" is Running: its size can be/u,
      );
      assert.deepEqual([await rig.sizesOf(scene), await recorded(driver)], [before, noted]);
      await driver.kill(scene.signal);
      await rig.lose(scene);
      await assertRefused(resize(driver, { cpus: 2 }, scene), "provider-not-found", /./u);
      assert.deepEqual(await recorded(driver), noted);
    });

    test("that are none, or more than there is, change nothing", async () => {
      await using scene = await rig.open();
      const driver = await scene.created();
      await driver.stop(scene.signal);
      const [before, noted] = [await rig.sizesOf(scene), await recorded(driver)];
      for (const [change, sentence] of [
        [{ cpus: 1.5 }, /^1\.5 is no number of CPUs/u],
        [{ cpus: 0 }, /^0 is no number of CPUs/u],
        [{ memoryMiB: 16 }, /is too small/u],
        ...impossible,
      ] as const) {
        await assert.rejects(
          resize(driver, change, scene),
          { code: "driver-options", message: sentence },
          JSON.stringify(change),
        );
        assert.deepEqual([await rig.sizesOf(scene), await recorded(driver)], [before, noted], JSON.stringify(change));
      }
    });
  });
}
