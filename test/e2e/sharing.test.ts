/** A machine shared with somebody who has a store of their own, until it is not: on a real host, with docker's own client. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readdir, rename, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import { waitUntil } from "../lab/wait.ts";
import { misfits, type Schema } from "../support/json-schema.ts";
import { createArguments } from "./generic-flags.ts";
import { output, Program } from "./program.ts";

const facts = (JSON.parse(readFileSync("docs/facts.schema.json", "utf8")) as Schema).properties ?? {};
const unavailable = await labUnavailableReason();

test("a guest uses the engine and nothing else, and is out at once when unshared", { skip: unavailable ?? false }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm-engine");
  await using owner = await Program.open();
  await using guest = await Program.open();
  await owner.ok(createArguments(host, "web"));
  const key = (await guest.ok(["share", "request"])).trim();
  const shared = await owner.ok(["share", "web", "-y", "--with", key, "--as", "alice", "--for", "8h"]);
  const ticket = /share accept (\S+)/u.exec(shared)?.[1] ?? "";
  assert.doesNotMatch(Buffer.from(ticket.split(".")[1] ?? "", "base64url").toString(), /PRIVATE/u);

  const swapped = JSON.parse(Buffer.from(ticket.split(".")[1] ?? "", "base64url").toString("utf8")) as { hostKeys: string[] };
  swapped.hostKeys = [key.split(" ").slice(0, 2).join(" ")];
  const forged = `${ticket.split(".")[0]}.${Buffer.from(JSON.stringify(swapped)).toString("base64url")}`;
  const refused = await guest.run(["share", "accept", forged]);
  assert.match(refused.stderr, /host key/iu);
  assert.equal(await guest.ok(["ls", "-q"]), "");

  await guest.ok(["share", "accept", ticket]);
  assert.match(await guest.ok(["ls"]), /^web +- +shared +Running +ssh:\/\/docker-machine@\S+ +v\d/mu);
  const written = await host.sh("journalctl -t docker-machine-share -o cat");
  assert.match(written, /^alice from \d+\.\d+\.\d+\.\d+: docker-machine-engine$/mu);
  await host.sh("docker import /usr/local/share/lab/tiny.tar tiny");
  assert.equal(
    await guest.ok(["with", "web", "docker", "run", "--rm", "-i", "tiny", "cat"], { stdin: "through and back" }),
    "through and back",
  );
  const parallel = Array.from({ length: 30 }, () => "docker version --format '{{.Server.Version}}' &").join(" ");
  const answers = await guest.ok(["with", "web", "--", "sh", "-c", `${parallel} wait`]);
  assert.equal(answers.trim().split("\n").length, 30);
  for (const command of [
    ["ssh", "web", "id"],
    ["scp", "web:/etc/hostname", "."],
    ["provision", "web"],
    ["restart", "web"],
  ]) {
    const result = await guest.run(command);
    assert.notEqual(result.status, 0, command.join(" "));
    assert.doesNotMatch(result.stdout, /uid=/u);
  }
  assert.match((await guest.run(["stop", "web"])).stderr, /for its owner/u);

  const watching = guest.start(["with", "web", "docker", "events"]);
  const open = async (): Promise<string> => await owner.ok(["share", "ls", "web"]);
  let seen = "";
  for (let round = 0; round < 50 && !/open now: [1-9]/u.test(seen); round += 1) seen = await open();
  assert.match(seen, /shared with alice \(engine\) until \S+Z; open now: [1-9]/u);
  const listed: unknown = JSON.parse(await owner.ok(["--output", "json", "share", "ls", "web"]));
  assert.deepEqual(misfits(listed, facts["share ls"] as Schema), []);
  const left: unknown = JSON.parse(await owner.ok(["--output", "json", "unshare", "web", "alice"]));
  assert.deepEqual(left, { name: "web", guests: [], certificates: [] });
  assert.notEqual((await watching.ended).status, 0, "docker events ended");
  assert.notEqual((await guest.run(["with", "web", "docker", "ps"])).status, 0);
  assert.equal((await host.exec("id docker-machine")).status, 1, "the user went with the last guest");
  assert.equal((await host.exec("ls -d /var/lib/docker-machine-share")).status, 2);

  const folder = path.join(guest.folder, "web");
  await output("ssh-keygen", ["-q", "-t", "ecdsa", "-m", "PEM", "-N", "", "-f", path.join(guest.folder, "key.pem")]);
  const certify = ["share", "web", "--tls", "-y", "--with", path.join(guest.folder, "key.pem.pub"), "--as", "alice"];
  assert.match((await owner.run([...certify, "--folder", folder, "--for", "25h"])).stderr, /given for 24 hours at most/u);
  const line = (await owner.ok([...certify, "--folder", folder, "--for", "1h"])).trim().split("\n").at(-1) ?? "";
  await rename(path.join(guest.folder, "key.pem"), path.join(folder, "key.pem"));
  assert.match(await output("sh", ["-c", line.replace("docker ps", "docker version")]), /Server:/u);
  assert.match(await owner.ok(["share", "ls", "web"]), /takes a certificate of alice until \S+Z; nothing ends it sooner/u);
  const kept = await owner.run(["unshare", "web", "alice"]);
  assert.notEqual(kept.status, 0);
  assert.match(kept.stderr, /no list of revoked certificates: "web" takes alice's until .*\n.*move certs\/ away/u);
});

test(
  "a key's time ends what it opened, and a restore leaves no guest and no key of the machine's own",
  { skip: unavailable ?? false },
  async () => {
    await using lab = await openLab();
    await using host = await lab.start("sudo");
    await using owner = await Program.open();
    await using guest = await Program.open();
    const authorized = async (): Promise<string> => await host.sh(`cat ~${host.sshUser}/.ssh/authorized_keys`);
    const before = await authorized();
    const plan = await owner.run([...createArguments(host, "web", "--generic-own-key"), "--dry-run"]);
    assert.match(plan.stdout, / key {7}a key pair of web's own, in \.ssh\/authorized_keys of /u);
    await owner.ok(createArguments(host, "web", "--generic-own-key"));
    assert.match(await authorized(), /^ssh-ed25519 \S+ docker-machine web$/mu);
    const files = await readdir(path.join(owner.store, "machines", "web"));
    assert.deepEqual([files.includes("machine_key"), files.includes(path.basename(host.privateKeyPath))], [true, false]);
    const key = path.join(guest.folder, "alice.pub");
    await writeFile(key, await guest.ok(["share", "request"]));
    const shared = await owner.ok(["share", "web", "-y", "--with", key, "--as", "alice", "--for", "12s", "--mode", "shell"]);
    await guest.ok(["share", "accept", "--name", "theirs", /share accept (\S+)/u.exec(shared)?.[1] ?? ""]);
    assert.equal((await guest.ok(["ssh", "theirs", "id", "-un"])).trim(), "docker-machine");
    const began = performance.now();
    // Nothing that a guest began goes on: no command, and nothing that left its session.
    const commands = ["sleep 101", "trap '' TERM; sleep 102; sleep 102", "setsid sleep 103 > /dev/null 2>&1 & exit 0"];
    const outliving = commands.map(async (command) => await guest.run(["ssh", "theirs", command]));
    const onTerminal = guest.run(["ssh", "theirs", "-tt", "sh -c 'sleep 104; sleep 104'"]);
    await guest.run(["with", "theirs", "docker", "events"]);
    await Promise.all([...outliving, onTerminal]);
    assert.ok(performance.now() - began < 15_000);
    assert.match(await guest.ok(["ls"]), /theirs .*Error/u);
    await waitUntil(
      "guests' processes to end",
      5_000,
      async () => (await host.exec("pgrep -u docker-machine -x sleep")).status === 1 || undefined,
    );
    for (const command of [
      ["with", "theirs", "docker", "ps"],
      ["ssh", "theirs", "id"],
    ])
      assert.match((await guest.run(command)).stderr, /"theirs" is not shared with you any more/u, command.join(" "));
    await owner.ok(["unshare", "web", "alice"]);
    assert.equal((await host.exec("id docker-machine")).status, 1, "the user went with the last guest, whose time was over");
    await owner.ok(["share", "web", "-y", "--with", key, "--as", "alice", "--for", "1h"]);
    await owner.ok(["rm", "-y", "--restore", "web"]);
    assert.equal(await authorized(), before);
    assert.equal((await host.exec("id docker-machine")).status, 1);
    assert.equal((await host.exec("ls -d /var/lib/docker-machine-share")).status, 2);
  },
);

const servers = {
  "keys elsewhere": ["AuthorizedKeysFile /etc/ssh/keys/%u .ssh/root_keys", /reads keys elsewhere/u],
  "a command for everybody": ["Match User docker-machine\\nForceCommand /bin/false", /runs a command of its own/u],
  "some users alone": ["AllowUsers root", /lets in none but allowusers root/u],
} as const;

test(
  "an SSH server that would not keep guests to their command is refused, and nothing is made",
  { skip: unavailable ?? false },
  async () => {
    await using lab = await openLab();
    await using host = await lab.start("bookworm-engine");
    await using owner = await Program.open();
    await owner.ok(createArguments(host, "web"));
    await host.sh("cp /root/.ssh/authorized_keys /root/.ssh/root_keys");
    const key = await owner.ok(["share", "request"]);
    // As an OpenSSH says of itself that knows no end of a key.
    await host.sh("printf '#!/bin/sh\\necho OpenSSH_7.6p1 >&2\\n' > /usr/local/sbin/sshd; chmod 0755 /usr/local/sbin/sshd");
    const old = await owner.run(["share", "web", "-y", "--with", key.trim(), "--as", "alice", "--for", "1h"]);
    assert.match(old.stderr, /OpenSSH on web is 7\.6; guests need 7\.7 or later/u);
    await host.sh("rm /usr/local/sbin/sshd");
    for (const [what, [settings, sentence]] of Object.entries(servers)) {
      await host.sh(`printf '${settings}\\n' > /etc/ssh/sshd_config.d/00-none.conf; systemctl reload ssh`);
      const result = await owner.run(["share", "web", "-y", "--with", key.trim(), "--as", "alice", "--for", "1h"]);
      assert.match(result.stderr, sentence, what);
      assert.equal((await host.exec("id docker-machine")).status, 1, what);
    }
  },
);
