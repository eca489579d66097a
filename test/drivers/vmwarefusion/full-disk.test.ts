/** A disk that is full at each step of create: told so, made to the end once there is room, and removed without it. */
import assert from "node:assert/strict";
import { readdirSync, statSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { isMachineError, messageOf } from "../../../src/errors/machine-error.ts";
import { SmallFileSystem } from "../../support/small-file-system.ts";
import { openScene } from "./scene.ts";

/** From no room at all to more than a machine takes. */
const sizesKib = [4, 16, 48, 56, 64, 128, 192, 256, 320, 384, 448, 512, 1_024];

test("each size of a disk that is too small", async (t) => {
  const disk = SmallFileSystem.mount(4);
  if (typeof disk === "string") return t.skip(disk);
  using small = disk;
  const failedAt = new Set<string>();
  let enough = 0;
  for (const kib of sizesKib) {
    small.resize(kib);
    await using scene = await openScene({}, { machineDir: small.folder });
    const driver = await scene.checked();
    const error: unknown = await driver.create(scene.signal).catch((thrown: unknown) => thrown);
    const files = readdirSync(small.folder).toSorted();
    if (error === undefined) enough = kib;
    else {
      assert.ok(isMachineError(error, "disk-full"), `${kib}: ${messageOf(error)}`);
      assert.match(error.message, /no space left/u);
      assert.ok(error.hint !== undefined);
      failedAt.add(files.join());
      assert.ok(!files.includes("web-source.vmdk") && !files.includes("web.vmx"), files.join());
      for (const name of files) assert.notEqual(statSync(path.join(small.folder, name)).size, 0, name);
      small.resize(4_096);
      const later = await scene.reopened(driver);
      await later.create(scene.signal);
      await later.stop(scene.signal);
    }
    await (await scene.reopened(driver)).remove(scene.signal);
    assert.deepEqual(
      readdirSync(small.folder).filter((name) => !name.startsWith("id_")),
      [],
    );
    assert.deepEqual(scene.vmware.running, []);
    if (enough > 0) break;
  }
  assert.ok(enough > 0, "never enough");
  assert.ok(failedAt.size >= 2, [...failedAt].join(" | "));
});
