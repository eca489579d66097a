import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, readdirSync, statSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import { testDriverContext } from "../../testing/driver-context.ts";
import { ensureHostKeys, forgetHostKeys, hostNameOf, newGuestIdentity, publicHalves } from "./guest-identity.ts";

test("host keys are the same in every call of one create, until they are forgotten", async () => {
  const secrets: string[] = [];
  await using given = await testDriverContext("web", { secret: (value) => void secrets.push(value) });
  const { context } = given;
  const first = await ensureHostKeys(context);
  assert.deepEqual(await ensureHostKeys(context), first);
  assert.deepEqual(
    first.map(({ type }) => type),
    ["ed25519", "ecdsa"],
  );
  for (const { privateKey } of first) assert.ok(secrets.includes(privateKey));
  await forgetHostKeys(context);
  assert.equal(existsSync(path.join(context.machineDir, "host-keys")), false);
  await forgetHostKeys(context);
  assert.notEqual((await ensureHostKeys(context))[0]?.publicKey, first[0]?.publicKey);
});

test("private halves are for their owner alone, and OpenSSH reads both kinds", async () => {
  await using given = await testDriverContext("web");
  const pairs = await ensureHostKeys(given.context);
  const folder = path.join(given.context.machineDir, "host-keys");
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(folder).toSorted(), ["ssh_host_ecdsa_key", "ssh_host_ed25519_key"]);
  for (const { type, publicKey } of pairs) {
    const file = path.join(folder, `ssh_host_${type}_key`);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const seen = execFileSync("ssh-keygen", ["-y", "-f", file]).toString().split(" ").slice(0, 2).join(" ").trim();
    assert.equal(seen, publicKey.split(" ").slice(0, 2).join(" "));
  }
  assert.match(publicHalves(pairs).join("\n"), /^ssh-ed25519 AAAA\S+\necdsa-sha2-nistp256 AAAA\S+$/u);
});

test("a damaged key, or one that others may read, is refused and not replaced: it may have been handed out", async () => {
  await using given = await testDriverContext("web");
  await ensureHostKeys(given.context);
  const file = path.join(given.context.machineDir, "host-keys", "ssh_host_ed25519_key");
  chmodSync(file, 0o644);
  await assert.rejects(ensureHostKeys(given.context), (error) => isMachineError(error, "ssh-key-unusable"));
  chmodSync(file, 0o600);
  writeFileSync(file, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n");
  await assert.rejects(ensureHostKeys(given.context), (error) => isMachineError(error, "ssh-key-unusable"));
});

test("an identity has the machine's login key and its name, as long as Linux takes it", async () => {
  await using given = await testDriverContext(`${"a".repeat(63)}.${"b".repeat(20)}`);
  const { identity, sshKeyPath } = await newGuestIdentity(given.context, "docker", ["ed25519"]);
  assert.equal(identity.hostName, "a".repeat(63));
  assert.equal(identity.hostKeys.length, 1);
  assert.equal(path.dirname(sshKeyPath), given.context.machineDir);
  assert.match(identity.authorizedKeys[0] ?? "", /^ssh-ed25519 AAAA/u);
  assert.equal(hostNameOf("web-1.example"), "web-1.example");
});
