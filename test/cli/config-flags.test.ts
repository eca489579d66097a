/** Which certificates `config` names: those that `env` leads to, as 0.16.2 does. */
import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { openCommandLine } from "./command-line.ts";
import { engineFor } from "./engine-fixture.ts";

test("the machine's own copies, or the store's where it has none", async () => {
  await using shell = await openCommandLine();
  await shell.ok("create -d none --url=tcp://127.0.0.1:1 seed");
  await using engine = await engineFor(shell);
  await shell.ok(`create -d none --url=${engine.url} web`);
  const flags = (folder: string): string =>
    [
      "--tlsverify",
      `--tlscacert="${path.join(folder, "ca.pem")}"`,
      `--tlscert="${path.join(folder, "cert.pem")}"`,
      `--tlskey="${path.join(folder, "key.pem")}"`,
      `-H=${engine.url}`,
      "",
    ].join("\n");
  const certs = path.join(shell.store, "certs");
  const own = path.join(shell.store, "machines/web");
  assert.equal(await shell.ok("config web"), flags(certs));
  for (const file of ["ca.pem", "cert.pem"]) await copyFile(path.join(certs, file), path.join(own, file));
  assert.equal(await shell.ok("config web"), flags(certs), "without the key they are of no use");
  await copyFile(path.join(certs, "key.pem"), path.join(own, "key.pem"));
  assert.equal(await shell.ok("config web"), flags(own));
});
