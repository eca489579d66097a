/** A laptop dies in the middle of `create`, with its user's key on it: a colleague finishes what it began, on a real host. */
import assert from "node:assert/strict";
import { copyFile, rename, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { Etcd, etcdMissing } from "../team/etcd.ts";
import { genericFlags } from "./generic-flags.ts";
import { Program } from "./program.ts";

const unavailable = (await labUnavailableReason()) ?? etcdMissing("3.5");

test("whoever goes on with a colleague's create needs no key of theirs", { skip: unavailable }, async () => {
  await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5" });
  await using lab = await openLab();
  await using host = await lab.start("bookworm-engine");
  await using alice = await Program.open();
  await using bob = await Program.open();
  const url = `etcd+http://127.0.0.1:${etcd.clientPorts[0]}/fleet`;
  await alice.ok(["store", "init", url, "--name", "alice"]);
  const token = path.join(bob.folder, "token");
  await writeFile(token, await alice.ok(["store", "invite", "bob"]), { mode: 0o600 });
  await bob.ok(["store", "join", url, "--token", `file:${token}`]);

  const key = path.join(alice.folder, "key");
  await copyFile(host.privateKeyPath, key);
  const before = await host.sh("cat ~/.ssh/authorized_keys");
  const create = [
    "create",
    "--driver",
    "generic",
    ...genericFlags(host).map((word) => (word === host.privateKeyPath ? key : word)),
    "web",
  ];
  const keyless = create.filter((word) => word !== "--generic-ssh-key" && word !== key);
  const killedAt = async (step: RegExp): Promise<void> => {
    const running = alice.start(create);
    await running.said(step);
    running.signal("SIGKILL");
    await running.ended;
  };
  const recorded = async (): Promise<string> => (await bob.ok(["inspect", "-f", "{{.Driver.SSHKey}}", "web"])).trim();

  await killedAt(/^Waiting for SSH to be available/mu);
  const refused = await bob.run(keyless);
  assert.match(refused.stderr, /no key was found to try\nHint: Name a key, with --generic-ssh-key/u);
  assert.equal(await recorded(), key, "what opens it to alice is hers still");

  await killedAt(/^Copying certs to the remote machine/mu);
  await rename(key, `${key}-elsewhere`);
  assert.match(await bob.ok(keyless), /^Docker is up and running!$/mu);
  for (const person of [alice, bob]) assert.equal(await person.ok(["ssh", "web", "whoami"]), `${host.sshUser}\n`);
  assert.equal((await alice.ok(["ls", "-q"])).trim(), "web");
  await bob.ok(["rm", "-y", "--restore", "web"]);
  assert.equal(await host.sh("cat ~/.ssh/authorized_keys"), before);
});
