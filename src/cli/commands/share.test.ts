import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { FileStore } from "../../store/file-store.ts";
import { newRecord } from "../../store/testing/records.ts";
import { formatPublicKey, publicKeyFromJwk } from "../../ssh/public-key.ts";
import { systemClock } from "../../system/clock.ts";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { FakeRun } from "../testing/fake-main.ts";

/** As a client of TLS has it. */
const ecdsa = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
const publicKey = publicKeyFromJwk(ecdsa.export({ format: "jwk" }));
assert.ok(publicKey !== undefined);
const tlsKey = `${formatPublicKey(publicKey)} g`;

async function share(driverName: string, ...words: readonly string[]) {
  const folder = temporaryFolder();
  await new FileStore(path.join(folder, "store"), systemClock).create(newRecord("web", { driverName }));
  writeFileSync(path.join(folder, "file"), "");
  const run = new FakeRun({ env: { MACHINE_STORAGE_PATH: path.join(folder, "store") }, computer: { cwd: folder } });
  return await run.main("share", "web", "--with", tlsKey, "--as", "g", "--for", "8h", ...words);
}

test("a folder is for certificates alone, and one that cannot be made is no matter of the store", async () => {
  const loose = await share("generic", "-y", "--folder", "given");
  assert.equal(loose.code, 2);
  assert.match(loose.stderr, /^--folder is for the certificates of --tls/u);
  const lost = await share("generic", "-y", "--tls", "--folder", "file/given");
  assert.equal(lost.code, 2);
  assert.match(lost.stderr, /file\/given: .*\nHint: Name another folder\.\n$/u);
});

test("whether a machine can be shared at all is known before a person is asked", async () => {
  for (const words of [[], ["--tls", "--folder", "given"]]) {
    const refused = await share("none", ...words);
    assert.match(refused.stderr, /^"web" is looked after by somebody else, so it cannot be shared\nHint: /u);
    const asked = await share("generic", ...words);
    assert.match(asked.stderr, /g would get [^]*Nobody answered whether to share/u);
  }
});
