/** A box that two stores know: handed over in a bundle, and given to a team by a store that joined it. On a real host. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { temporaryFolder } from "../../src/system/testing/folder.ts";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { Etcd, etcdMissing } from "../team/etcd.ts";
import { createArguments } from "./generic-flags.ts";
import { Program } from "./program.ts";

const unavailable = await labUnavailableReason();

test("who imports a box and restores it locks nobody out of it", { skip: unavailable ?? false }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm-engine");
  await using exporter = await Program.open();
  await using importer = await Program.open();
  const authorized = async (): Promise<string> => await host.sh("cat /root/.ssh/authorized_keys");
  const own = async (): Promise<number> => ((await authorized()).match(/ docker-machine web$/gmu) ?? []).length;
  const before = await authorized();
  await exporter.ok(createArguments(host, "web", "--generic-own-key"));
  const identity = await generateX25519Identity();
  const [key, bundle] = [path.join(importer.folder, "key.txt"), path.join(importer.folder, "web.age")];
  await writeFile(key, identity);
  const exported = await exporter.run(["export", "web", "--to", await identityToRecipient(identity), "--file", bundle]);
  assert.match(exported.stderr, /"web" has of its own goes along; the store that imports it gives it another/u);
  const imported = await importer.run(["import", bundle, "--identity", key]);
  assert.match(imported.stdout, /^"web" is imported$/mu);
  assert.match(imported.stderr, /by a key of its own from now on; the one that it came with stays in authorized_keys there/u);
  assert.equal(await own(), 2);
  await importer.ok(["env", "web"]);
  await importer.ok(["rm", "-y", "--restore", "web"]);
  assert.equal(await own(), 1);
  await exporter.ok(["ssh", "web", "true"]);
  await exporter.ok(["rm", "-y", "--restore", "web"]);
  assert.equal(await authorized(), before);
});

test(
  "a machine of a store that joined a team answers its owner all the time, and the team once it was pushed",
  { skip: (unavailable ?? false) || etcdMissing("3.5") },
  async () => {
    await using etcd = await Etcd.start(temporaryFolder(), { release: "3.5" });
    await using lab = await openLab();
    await using host = await lab.start("bookworm-engine");
    await using alice = await Program.open();
    await using bob = await Program.open();
    await alice.ok(["store", "init", etcd.url("fleet"), "--name", "alice"]);
    await bob.ok(createArguments(host, "web"));
    const token = (await alice.ok(["store", "invite", "bob"])).trim();
    const join = ["store", "join", etcd.url("fleet"), "--token", "env:INVITATION"];
    await bob.ok([...join, "-y"], { env: { INVITATION: token } });
    await bob.ok(["env", "web"]);
    assert.match(await bob.ok(["ls"]), /^web .*Running .*v\d/mu);
    const push = await bob.run(["store", "push", "web"]);
    assert.match(push.stdout, /^web gets a key pair of its own, [^]*^web gets a certificate of the team's authority: /mu);
    await bob.ok(["store", "push", "-y", "web"]);
    for (const member of [bob, alice]) {
      await member.ok(["env", "web"]);
      assert.match(await member.ok(["ls"]), /^web .*Running .*v\d/mu);
    }
    assert.doesNotMatch(readFileSync(path.join(bob.store, "machines/web/config.json"), "utf8"), /certs-before/u);
    // What came from the team goes on answering who left it.
    await bob.ok(["store", "leave"]);
    await bob.ok(["env", "web"]);
    assert.match(readFileSync(path.join(bob.store, "machines/web/config.json"), "utf8"), /certs-of-fleet/u);
    // The way to another authority that documents and hints tell.
    await rename(path.join(bob.store, "certs"), path.join(bob.folder, "certs-away"));
    await bob.ok(["regenerate-certs", "-f", "web"]);
    await bob.ok(["env", "web"]);
    assert.doesNotMatch(readFileSync(path.join(bob.store, "machines/web/config.json"), "utf8"), /certs-of/u);
  },
);
