/** `create` on every kind of host that the lab has: what stands in the way is opened, asked for, waited for or named. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { labUnavailableReason, openLab, type Lab, type LabHost } from "../lab/lab.ts";
import { readOuterApt, sourceLines } from "../lab/outer-apt.ts";
import type { VariantName } from "../lab/variants.ts";
import { assertFails } from "./failing.ts";
import { createArguments } from "./generic-flags.ts";
import { Program } from "./program.ts";
import { machineFolders } from "./store-contents.ts";

const unavailable = await labUnavailableReason();

describe("variants of hosts", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(async () => await lab.close());

  function on(variant: VariantName, claim: string, body: (program: Program, host: LabHost) => Promise<void>): void {
    test(`${variant}: ${claim}`, async () => {
      await using host = await lab.start(variant);
      await using program = await Program.open();
      await body(program, host);
    });
  }

  on("sudo-password", "the password comes from a file or from a terminal; a wrong one is one sentence", async (program, host) => {
    const file = path.join(program.folder, "password");
    const create = createArguments(host, "web", "--generic-sudo-password-file", file);
    await writeFile(file, "not the password\n", { mode: 0o600 });
    await assertFails(program, create, {
      sentence: /^sudo on web did not accept the password, or the user may not use sudo$/u,
      hint: /^Check the password, and that the user is in the group that may use sudo/u,
    });
    await assertFails(program, createArguments(host, "other"), {
      sentence: /^sudo on other asks admin for a password, and none was given$/u,
      hint: /--generic-sudo-password-file/u,
    });
    await writeFile(file, `${host.sudoPassword}\n`, { mode: 0o600 });
    assert.match(await program.ok(create), /Docker is up and running!/u);
    await program.ok(["env", "web"]);
    await program.ok(["rm", "-y", "web", "other"]);
    assert.match(await createAtTerminal(program, host), /Password for sudo on typed: \r?\n[^]*Docker is up and running!/u);
  });

  on("no-sudo", "is told that root is needed", async (program, host) => {
    await assertFails(program, createArguments(host, "web"), {
      sentence: /^The user plain is not root on web and cannot become it: .+$/u,
      hint: /^Log in as root, or install sudo there and allow the user to use it\.$/u,
    });
    assert.deepEqual(await machineFolders(program.store), ["web"]);
    await program.ok(["rm", "-y", "web"]);
    assert.deepEqual(await machineFolders(program.store), []);
  });

  on("no-os-release", "is recognised by its Debian version and gets the distribution's engine", async (program, host) => {
    const plan = await program.ok(createArguments(host, "web", "--dry-run"));
    assert.match(plan, /^Plan for web \(Debian 12[^)]*, kernel [^,]+, systemd\)$/mu);
    assert.match(plan, /docker\.io/u);
    const created = await program.ok(createArguments(host, "web", "--engine-source", "distro"));
    assert.match(created, /Provisioning with debian\.\.\.\nInstalling Docker\.\.\.\n/u);
    assert.match(await program.ok(["version", "web"]), /^20\.10\.24/u);
  });

  on("dropbear", "both back ends talk to the other SSH server", async (program, host) => {
    await program.ok(createArguments(host, "one", "--engine-source", "distro"), { env: { MACHINE_NATIVE_SSH: "1" } });
    assert.equal(await program.ok(["ssh", "one", "id", "-un"]), "root\n");
    await program.ok(["rm", "-y", "one"]);
    await program.ok(createArguments(host, "two"));
    await program.ok(["env", "two"]);
    assert.equal((await program.run(["--native-ssh", "ssh", "two", "exit 7"])).status, 7);
  });

  on("apt-locked", "the lock is waited for, which is said, and then it works", async (program, host) => {
    const created = await program.ok(createArguments(host, "web", "--engine-source", "distro"));
    assert.match(created, /^hold-apt-lock \(process \d+\) holds \/var\/lib\/dpkg\/lock-frontend: it is waited for$/mu);
    assert.match(created, /^Docker is up and running!$/mu);
  });

  on("no-mirror", "apt's own words explain it; with the mirror back, provision goes on", async (program, host) => {
    await assertFails(program, createArguments(host, "web", "--engine-source", "distro"), {
      sentence: /^apt could not [^\n]+ on web:\n(?:(?:E|W|Err): ?[^\n]+\n?)+$/u,
      hint: /network, DNS, mirrors and proxy/u,
    });
    await assertFails(program, createArguments(host, "docker", "--engine-source", "docker"), {
      sentence: /^https:\/\/download\.docker\.com\/linux\/debian\/[^ ]+ cannot be reached from docker: [^\n]+$/u,
      hint: /--engine-package-mirror|--engine-source distro/u,
    });
    assert.match(await program.ok(["ls"]), /^web\s+-\s+generic\s+\w+\s/mu);
    await connectToMirror(lab, host);
    assert.match(await program.ok(["provision", "web"]), /Docker is up and running!/u);
    await program.ok(["env", "web"]);
  });

  on("tight-var", "the full file system is named, and provision goes on once there is space", async (program, host) => {
    await assertFails(program, createArguments(host, "web", "--engine-source", "distro"), {
      sentence: /^Only \d+ MiB are free on tmpfs \(mounted on \/var\) of web; installing an engine takes \d+ MiB$/u,
      hint: /^Free some space there/u,
    });
    await host.sh("mount -o remount,size=4g /var");
    assert.match(await program.ok(["provision", "web"]), /Docker is up and running!/u);
  });

  on(
    "full-etc-docker",
    "the full file system is named, nothing is left half written, and provision goes on",
    async (program, host) => {
      await assertFails(program, createArguments(host, "web"), {
        sentence: /^There is no space left on tmpfs \(mounted on \/etc\/docker, 0 MiB free\) of web$/u,
        hint: /^Free some space there, then run "docker-machine provision web"/u,
      });
      // The engine writes its own key there at every start.
      assert.equal(await host.sh("ls -A /etc/docker | grep -vx key.json"), "filler");
      await host.sh("docker version > /dev/null");
      await host.sh("rm /etc/docker/filler");
      await program.ok(["provision", "web"]);
      await program.ok(["env", "web"]);
    },
  );
});

/** The same create in a terminal of its own, where somebody types the password. Gives what the terminal shows. */
async function createAtTerminal(program: Program, host: LabHost): Promise<string> {
  const terminal = program.startAtTerminal(createArguments(host, "typed"), { env: { TERM: "dumb" } });
  await terminal.said(/Password for sudo on typed: /u);
  terminal.type(`${host.sudoPassword}\n`);
  const { status, stdout } = await terminal.ended;
  assert.equal(status, 0, stdout);
  assert.ok(!stdout.includes(host.sudoPassword ?? ""), "the password is not echoed");
  return stdout;
}

/** What a host of this kind lacks: a way out of its network, and mirrors that answer. */
async function connectToMirror(lab: Lab, host: LabHost): Promise<void> {
  const sources = sourceLines(await readOuterApt(), "bookworm").join("\n");
  await host.sh(`ip route add default via ${lab.gateway}; cat > /etc/apt/sources.list`, { stdin: `${sources}\n` });
}
