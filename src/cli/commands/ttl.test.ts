import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { FileStore } from "../../store/file-store.ts";
import { newRecord } from "../../store/testing/records.ts";
import { systemClock } from "../../system/clock.ts";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { FakeRun } from "../testing/fake-main.ts";

test("a machine on which nothing could end its time has none, and nobody waits to tell it so", async () => {
  const store = new FileStore(path.join(temporaryFolder(), "store"), systemClock);
  await store.create(newRecord("box", { driverName: "none", driverConfigText: '{"URL":"tcp://127.0.0.1:1"}' }));
  const ttl = async (...words: readonly string[]) =>
    await new FakeRun({ env: { MACHINE_STORAGE_PATH: store.root } }).main("ttl", "box", ...words);
  const refused = await ttl("8h");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /is not provisioned[^]*Hint: It goes on until it is removed/u);
  assert.equal((await ttl("off")).code, 0);
  assert.equal((await ttl()).stdout, "box: goes on until it is removed\n");
  assert.doesNotMatch(readFileSync(path.join(store.root, "machines/box/config.json"), "utf8"), /LifetimePending/u);
});
