/** Engines are asked by the executable's runtime otherwise than by Node: the tests of that, and those of the client, in Bun. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { TestAuthority } from "../../src/tls/testing/pki.ts";

test("Bun's own sockets believe whom Node's do, and the client of engines passes its tests on them", async () => {
  const folder = temporaryFolder();
  const authority = await TestAuthority.create("environment");
  const { certificate, key } = await authority.issueServer("127.0.0.1");
  for (const [name, text] of Object.entries({ "ca.pem": authority.ca, "server.pem": certificate, "server-key.pem": key }))
    writeFileSync(path.join(folder, name), text);
  const files = ["./test/cli/bun-engine-cases.ts", "./src/engine/engine-client.test.ts"];
  const { status, stderr } = spawnSync("bun", ["test", ...files], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: path.join(folder, "ca.pem") },
    encoding: "utf8",
    timeout: 120_000,
  });
  assert.equal(status, 0, stderr);
  assert.match(stderr, /\b0 fail\b/u);
});
