/** A disk that is full at each step of a hypervisor's create: told so, made to the end once there is room, and removed without it. */
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import type { DriverContext } from "../../src/driver-kit/driver.ts";
import { isMachineError, messageOf } from "../../src/errors/machine-error.ts";
import { SmallFileSystem } from "../support/small-file-system.ts";
import type { DriverScene } from "./driver-scene.ts";

export interface FullDisk<Scene extends DriverScene> {
  /** KiB: from no room at all to more than a machine takes. */
  readonly sizes: readonly number[];
  /** KiB: room enough. */
  readonly enough: number;
  /** Names that must not be left in the machine's folder by a create that failed. */
  readonly halfMade: readonly string[];
  open(overrides: Partial<DriverContext>): Promise<Scene>;
  /** What the hypervisor has of machines. */
  machines(scene: Scene): readonly unknown[];
}

export function describeFullDisk<Scene extends DriverScene>({ sizes, enough, halfMade, open, machines }: FullDisk<Scene>): void {
  test("each size of a disk that is too small", async (t) => {
    const disk = SmallFileSystem.mount(4);
    if (typeof disk === "string") return t.skip(disk);
    using small = disk;
    const failedAt = new Set<string>();
    let wasEnough = false;
    for (const kib of sizes) {
      small.resize(kib);
      await using scene = await open({ machineDir: small.folder });
      const driver = await scene.checked();
      const error: unknown = await driver.create(scene.signal).catch((thrown: unknown) => thrown);
      const files = readdirSync(small.folder).toSorted();
      wasEnough = error === undefined;
      if (!wasEnough) {
        assert.ok(isMachineError(error, "disk-full"), `${kib}: ${messageOf(error)}`);
        assert.match(error.message, /no space left/u);
        assert.ok(error.hint !== undefined);
        failedAt.add(files.join());
        assert.ok(!files.some((name) => halfMade.includes(name)), files.join());
        for (const name of files) assert.notEqual(statSync(path.join(small.folder, name)).size, 0, name);
        small.resize(enough);
        const later = await scene.reopened(driver);
        await later.create(scene.signal);
        await later.stop(scene.signal);
      }
      await (await scene.reopened(driver)).remove(scene.signal);
      assert.deepEqual(
        readdirSync(small.folder).filter((name) => !name.startsWith("id_")),
        [],
      );
      assert.deepEqual(machines(scene), []);
      if (wasEnough) break;
    }
    assert.ok(wasEnough, "never enough");
    assert.ok(failedAt.size >= 2, [...failedAt].join(" | "));
  });
}
