/**
 * Systems beyond Debian, each with its own package manager and packages: of every manager one system's whole life, of the
 * others a create and a container. DOCKER_MACHINE_ALL_SYSTEMS=1 (`npm run lab:families`) lives all of them whole.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { labUnavailableReason, openLab, type Lab, type LabHost, type SystemRepositories } from "../lab/lab.ts";
import { waitUntil } from "../lab/wait.ts";
import { systems, type SystemName } from "../lab/systems/systems.ts";
import { changedFiles, takeSnapshot, withoutFiles } from "../provision/host-snapshot.ts";
import { dockerEnvironment, runContainer, type DockerEnvironment } from "./docker-client.ts";
import { createArguments } from "./generic-flags.ts";
import { output, Program } from "./program.ts";

const unavailable = await labUnavailableReason();
const all = process.env["DOCKER_MACHINE_ALL_SYSTEMS"] === "1";

/** One of each manager. */
const wholeLives: ReadonlySet<string> = new Set<SystemName>(["rocky-9", "leap-15.6", "arch", "alpine-3.20"]);

describe("systems beyond Debian", { skip: unavailable ?? false, concurrency: 2 }, () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(async () => await lab.close());

  for (const name of Object.keys(systems) as SystemName[]) {
    // Of CentOS 7 no packages are left.
    if (name === "centos-7") continue;
    const whole = all || wholeLives.has(name);
    test(`${name}: ${whole ? "create, upgrade, provision and rm --restore" : "create and a container"}`, async () => {
      await using repositories = await lab.serveSystemRepositories(name);
      await using host = await lab.start(name, { prepare: repositories.sources });
      await using program = await Program.open();
      const hasCron = systems[name].manager === "apk";
      const snapshot = whole ? await takeSnapshot(host) : undefined;
      if (whole) repositories.overlay("before");
      await create(program, host, name, repositories);
      if (snapshot === undefined) return;
      repositories.overlay(undefined);
      await upgrade(program, host, repositories);
      if (hasCron) await endInTime(program, host);
      await program.ok(["rm", "-y", "--restore", "web"]);
      const restored = await takeSnapshot(host);
      assert.deepEqual(withoutFiles(restored), withoutFiles(snapshot));
      // The group is the packages' own doing: they leave it behind, as they do on Debian.
      assert.deepEqual(
        changedFiles(snapshot, restored).filter((path) => !/^\/etc\/g(roup|shadow)-?$/u.test(path)),
        [],
      );
    });
  }
});

/** Docker's packages where it has some for the system, the system's own elsewhere. */
async function create(program: Program, host: LabHost, name: SystemName, repositories: SystemRepositories): Promise<void> {
  const mirror = ["--engine-package-mirror", repositories.url, "--engine-package-key", repositories.keyFingerprint];
  const created = await program.ok(createArguments(host, "web", ...mirror));
  assert.match(created, new RegExp(`^Provisioning with ${systems[name].osRelease.ID}\\.\\.\\.$`, "mu"));
  assert.match(created, /^Docker is up and running!$/mu);
  await runContainer(await dockerEnvironment(program), host);
}

/** The engine becomes a newer one under a container that runs; setting up again changes nothing. */
async function upgrade(program: Program, host: LabHost, repositories: SystemRepositories): Promise<void> {
  const docker = await dockerEnvironment(program);
  const [older, newer] = repositories.versions;
  // Not every repository has had an older one.
  assert.ok([older, newer].includes((await engineVersion(program)) ?? ""));
  await output("docker", ["run", "-d", "--name", "lasting", "tiny", "sleep", "1000"], { env: docker });
  const container = await runningSince(docker);
  // A mirror that lacks what it should have is not one without anything newer.
  repositories.spoil(/\/(?:core\.db|repomd\.xml|APKINDEX)$/u, 404);
  const refused = await program.run(["upgrade", "web"]);
  assert.equal(refused.status, 1, refused.stdout);
  assert.match(refused.stderr, /The lists of packages on web could not be brought up to date|repomd\.xml cannot be reached/u);
  assert.equal(await runningSince(docker), container);
  repositories.mend();
  const words = await program.ok(["--debug", "upgrade", "web"]);
  const upgraded = await engineVersion(program);
  assert.equal(upgraded, newer, `${upgraded} in place of ${newer} after:\n${words}`);
  assert.equal(await runningSince(docker), container);
  const engine = await host.sh("pidof dockerd");
  await program.ok(["provision", "web"]);
  assert.equal(await host.sh("pidof dockerd"), engine);
  await output("docker", ["rm", "-f", "lasting"], { env: docker });
}

/** By busybox's cron: refused as long as that does not run, taken back by `off`, and by `rm --restore` at last. */
async function endInTime(program: Program, host: LabHost): Promise<void> {
  const env = { MACHINE_TIMEOUT_TTL_GRACE: "8s" };
  const ttl = async (...words: string[]): Promise<string> => await program.ok(["ttl", "web", ...words], { env });
  const table = "cat /etc/crontabs/root";
  const before = await host.sh(table);
  const refused = await program.run(["ttl", "web", "1h", "--ttl-power-off"], { env });
  assert.notEqual(refused.status, 0);
  assert.match(refused.stderr, /No cron daemon runs on web, .*\nHint: .*rc-update add crond && rc-service crond start/u);
  assert.match(await ttl(), /^web: goes on until it is removed$/mu);
  await host.sh("crond -b -c /etc/crontabs");
  assert.match(await ttl("1h", "--ttl-power-off"), /^web: powered off at .* UTC/mu);
  assert.match(await host.sh(table), /^\* \* \* \* \* \/bin\/sh \/etc\/docker-machine\/ttl\.sh$/mu);
  assert.match(await ttl(), /^web: powered off at .* UTC, in (?:59 min|1 h)/u);
  assert.match(await ttl("off"), /goes on until it is removed/u);
  assert.equal(await host.sh(table), before);
  await host.sh("test ! -e /etc/docker-machine/ttl.sh");
  await ttl("2h", "--ttl-power-off");
  // Cron looks once a minute.
  if (all) {
    await ttl("5s");
    await waitUntil("the host to be off", 150_000, async () => !(await host.isOn()) || undefined);
    await host.powerOn();
    await waitUntil("SSH", 30_000, async () => (await program.run(["ssh", "web", "true"])).status === 0 || undefined);
    assert.match(await host.sh(table), /ttl\.sh$/mu);
  }
}

/** Without what a distribution adds to it. */
async function engineVersion(program: Program): Promise<string | undefined> {
  return /^[\d.]+/u.exec(await program.ok(["version", "web"]))?.[0];
}

async function runningSince(docker: DockerEnvironment): Promise<string> {
  return await output("docker", ["inspect", "-f", "{{.State.Running}} {{.State.StartedAt}}", "lasting"], { env: docker });
}
