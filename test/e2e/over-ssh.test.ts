/** Engines that open no port: created, used and taken back over SSH alone; on hosts of several kinds. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { labUnavailableReason, openLab } from "../lab/lab.ts";
import type { VariantName } from "../lab/variants.ts";
import { createArguments } from "./generic-flags.ts";
import { Program } from "./program.ts";

const unavailable = await labUnavailableReason();

interface Setting {
  readonly variant: VariantName;
  /** Done as root on the host before it is adopted. */
  readonly first?: string;
  readonly flags?: readonly string[];
}

const settings: Readonly<Record<string, Setting>> = {
  "as root": { variant: "bookworm-engine" },
  "as a user with sudo, who is not in the group docker": { variant: "sudo" },
  "as a user whose sudo asks for a password": { variant: "sudo-password" },
  "where the server forwards nothing": {
    variant: "bookworm-engine",
    first: "echo 'AllowStreamLocalForwarding no' > /etc/ssh/sshd_config.d/00-none.conf; systemctl reload ssh",
  },
};

for (const [what, { variant, first = "true" }] of Object.entries(settings)) {
  test(`an engine over SSH alone, ${what}`, { skip: unavailable ?? false }, async () => {
    await using lab = await openLab();
    await using host = await lab.start(variant);
    await using program = await Program.open();
    await host.sh(first);
    const flags = ["--engine-transport", "ssh"];
    if (host.sudoPassword !== undefined) {
      const file = path.join(program.folder, "sudo");
      await writeFile(file, `${host.sudoPassword}\n`, { mode: 0o600 });
      flags.push("--generic-sudo-password-file", file);
    }
    const create = createArguments(host, "web", ...flags);
    const plan = await program.ok([...create, "--dry-run"]);
    assert.equal(/is not in the group docker/u.test(plan), host.sshUser !== "root", plan);
    assert.doesNotMatch(plan, /2376|\.pem/u);
    await program.ok(create);
    assert.doesNotMatch(await host.sh("cat /proc/net/tcp /proc/net/tcp6"), /:0948 \S+ 0A /u, "2376 is open");
    assert.equal((await host.exec("ls /etc/docker/*.pem")).status, 2, "there are certificates");

    assert.match(await program.ok(["ls"]), /^web +- +generic +Running +ssh:\/\/\S+ +v\d/mu);
    assert.match(await program.ok(["with", "web", "--", "docker", "info", "--format", "{{.Labels}}"]), /provider=generic/u);
    await host.sh("docker import /usr/local/share/lab/tiny.tar tiny");
    const ran = ["with", "web", "docker", "run", "--rm", "-i", "tiny", "cat"];
    assert.equal(await program.ok(ran, { stdin: "through and back" }), "through and back");
    const failed = await program.run(["with", "web", "docker", "run", "--rm", "tiny", "sh", "-c", "exit 42"]);
    assert.equal(failed.status, 42, failed.stderr);

    assert.match(await program.ok(["provision", "web"]), /Docker is up and running/u);
    assert.equal((await program.run(["regenerate-certs", "-f", "web"])).status, 1);
    await program.ok(["rm", "-y", "--restore", "web"]);
    assert.equal((await host.exec("ls /etc/systemd/system/docker.service.d")).status, 2);
  });
}

test("compose with 30 services runs through one connection", { skip: unavailable ?? false }, async (t) => {
  const compose = promisify(execFile);
  const found = await compose("docker-compose", ["version"]).catch(() => undefined);
  if (found === undefined) return t.skip("docker-compose is not installed");
  await using lab = await openLab();
  await using host = await lab.start("bookworm-engine");
  await using program = await Program.open();
  await program.ok(createArguments(host, "web", "--engine-transport", "ssh"));
  await host.sh("docker import /usr/local/share/lab/tiny.tar tiny");
  const folder = await mkdtemp(path.join(tmpdir(), "dm-compose-"));
  try {
    const service = {
      image: "tiny",
      command: ["sh", "-c", "echo up; exec sleep 600"],
      network_mode: "none",
      stop_signal: "SIGKILL",
    };
    const services = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`s${index}`, service]));
    await writeFile(path.join(folder, "docker-compose.yml"), JSON.stringify({ version: "3", services }));
    const inFolder = { cwd: folder, timeoutMs: 240_000 };
    await program.ok(["with", "web", "--", "docker-compose", "-p", "thirty", "up", "-d"], inFolder);
    const listed = await program.ok(["with", "web", "docker", "ps", "-q"]);
    assert.equal(listed.trim().split("\n").length, 30);
    const logs = await program.ok(["with", "web", "--", "docker-compose", "-p", "thirty", "logs", "--no-color"], inFolder);
    assert.equal(logs.match(/\| up$/gmu)?.length, 30, logs);
    await program.ok(["with", "web", "--", "docker-compose", "-p", "thirty", "down", "-t", "0"], inFolder);
    assert.equal(await program.ok(["with", "web", "docker", "ps", "-aq"]), "");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
