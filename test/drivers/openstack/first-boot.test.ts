/** What a server is given for its first boot: the user's key, the user's data. */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { generateKeyPair } from "../../../src/ssh/keys.ts";
import { openScene, type Scene } from "./scene.ts";

test("a key of the user's is used and stays", async () => {
  await using scene = await openScene();
  const { cloud, context, signal } = scene;
  const pair = generateKeyPair("mine");
  cloud.nova.addKeyPair("mine", pair.publicKey);
  const file = path.join(context.storePath, "id_mine");
  await writeFile(file, pair.privateKey, { mode: 0o600 });
  const driver = await scene.running({ "keypair-name": "mine", "private-key-file": file, "ssh-user": "ops" });
  assert.equal(await driver.getSshKeyPath(), path.join(context.machineDir, "id_rsa"));
  assert.equal(await readFile(path.join(context.machineDir, "id_rsa"), "utf8"), pair.privateKey);
  const userData = userDataOf(scene);
  assert.ok(userData.includes(pair.publicKey.split(" ")[1] ?? "none") && userData.includes('"ops"'));
  await driver.remove(signal);
  assert.deepEqual(cloud.resources, ["key pair mine"]);
});

test("user data joins ours, also where its file is gone meanwhile; what cannot be joined is passed on and said", async () => {
  await using scene = await openScene();
  const file = path.join(scene.context.storePath, "data");
  await writeFile(file, "#!/bin/sh\necho hello\n");
  const driver = await scene.configured({ "user-data-file": file });
  await writeFile(file, "");
  await driver.preCreateCheck(scene.signal);
  await driver.create(scene.signal);
  assert.match(userDataOf(scene), /^Content-Type: multipart\/mixed/u);
  assert.match(userDataOf(scene), /echo hello/u);
  await using other = await openScene();
  const ignition = path.join(other.context.storePath, "config.ign");
  await writeFile(ignition, '{"ignition":{"version":"3.4.0"}}');
  const flatcar = await other.running({ "user-data-file": ignition });
  assert.equal(await flatcar.hostKeys?.(), "none");
  assert.equal(flatcar.hostKeysExposed, false);
  assert.ok(other.lines().some((line) => line.includes("is for Ignition")));
});

function userDataOf({ cloud }: Scene): string {
  const server = cloud.nova.asked[0]?.["server"] as { user_data?: string } | undefined;
  return Buffer.from(server?.user_data ?? "", "base64").toString("utf8");
}
