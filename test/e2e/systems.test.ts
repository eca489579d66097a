/**
 * Systems beyond Debian, each with its own package manager and packages: of every manager one system's whole life, of the
 * others a create and a container. DOCKER_MACHINE_ALL_SYSTEMS=1 (`npm run lab:families`) lives all of them whole.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { labUnavailableReason, openLab, type Lab, type LabHost, type SystemRepositories } from "../lab/lab.ts";
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
      const snapshot = whole ? await takeSnapshot(host) : undefined;
      if (whole) repositories.overlay("before");
      await create(program, host, name, repositories);
      if (snapshot === undefined) return;
      repositories.overlay(undefined);
      await upgrade(program, host, repositories);
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
async function upgrade(program: Program, host: LabHost, { versions }: SystemRepositories): Promise<void> {
  const docker = await dockerEnvironment(program);
  const [older, newer] = versions;
  // Not every repository has had an older one.
  assert.ok([older, newer].includes((await engineVersion(program)) ?? ""));
  await output("docker", ["run", "-d", "--name", "lasting", "tiny", "sleep", "1000"], { env: docker });
  const container = await runningSince(docker);
  await program.ok(["upgrade", "web"]);
  assert.equal(await engineVersion(program), newer);
  assert.equal(await runningSince(docker), container);
  const engine = await host.sh("pidof dockerd");
  await program.ok(["provision", "web"]);
  assert.equal(await host.sh("pidof dockerd"), engine);
  await output("docker", ["rm", "-f", "lasting"], { env: docker });
}

/** Without what a distribution adds to it. */
async function engineVersion(program: Program): Promise<string | undefined> {
  return /^[\d.]+/u.exec(await program.ok(["version", "web"]))?.[0];
}

async function runningSince(docker: DockerEnvironment): Promise<string> {
  return await output("docker", ["inspect", "-f", "{{.State.Running}} {{.State.StartedAt}}", "lasting"], { env: docker });
}
