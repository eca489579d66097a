import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { FileStore } from "../../store/file-store.ts";
import { newRecord } from "../../store/testing/records.ts";
import { generateKeyPair } from "../../ssh/keys.ts";
import { systemClock } from "../../system/clock.ts";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { FakeRun } from "../testing/fake-main.ts";

async function share(...words: readonly string[]) {
  const folder = temporaryFolder();
  await new FileStore(path.join(folder, "store"), systemClock).create(newRecord("web", { driverName: "none" }));
  writeFileSync(path.join(folder, "file"), "");
  const run = new FakeRun({ env: { MACHINE_STORAGE_PATH: path.join(folder, "store") }, computer: { cwd: folder } });
  return await run.main("share", "web", "--with", generateKeyPair("g").publicKey, "--as", "g", "--for", "8h", "-y", ...words);
}

test("a folder is for certificates alone, and one that cannot be made is no matter of the store", async () => {
  const loose = await share("--folder", "given");
  assert.equal(loose.code, 2);
  assert.match(loose.stderr, /^--folder is for the certificates of --tls/u);
  const lost = await share("--tls", "--folder", "file/given");
  assert.equal(lost.code, 2);
  assert.match(lost.stderr, /file\/given: .*\nHint: Name another folder\.\n$/u);
});
