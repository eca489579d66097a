/**
 * The main job on real hosts: one create, then a real docker client talks TLS to the engine, and every command of a
 * machine's life works. For each Debian release, for root and a sudo user, for both SSH back ends, for both programs.
 */
import assert from "node:assert/strict";
import { mkdir, readFile, readdir, stat, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { labUnavailableReason, openLab, type Lab, type LabHost } from "../lab/lab.ts";
import type { VariantName } from "../lab/variants.ts";
import { dockerEnvironment, runContainer, type DockerEnvironment } from "./docker-client.ts";
import { genericFlags } from "./generic-flags.ts";
import { output, Program, type ProgramKind } from "./program.ts";

const unavailable = await labUnavailableReason();

interface Setting {
  readonly variant: VariantName;
  readonly kind: ProgramKind;
  readonly native: boolean;
}

const settings: readonly Setting[] = [
  { variant: "bookworm-engine", kind: "executable", native: false },
  { variant: "bookworm-engine", kind: "node", native: true },
  { variant: "bullseye-engine", kind: "executable", native: true },
  { variant: "trixie-engine", kind: "node", native: false },
  { variant: "sudo", kind: "executable", native: false },
  { variant: "sudo", kind: "executable", native: true },
];

describe("the main job", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  before(async () => {
    lab = await openLab();
  });
  after(async () => await lab.close());

  for (const setting of settings) {
    const { variant, kind, native } = setting;
    test(`${variant}, ${kind}, ${native ? "--native-ssh" : "OpenSSH"}`, async () => {
      await using host = await lab.start(variant);
      await using program = await Program.open(kind);
      await liveOnce(program, host, native ? { MACHINE_NATIVE_SSH: "1" } : {});
    });
  }
});

async function liveOnce(program: Program, host: LabHost, env: Readonly<Record<string, string>>): Promise<void> {
  const created = await program.ok(["create", "--driver", "generic", ...genericFlags(host), "web"], { env });
  assert.match(created, /Docker is up and running!\nTo see how to connect your Docker Client .* run: \S+ env web\n$/u);

  const docker = await dockerEnvironment(program, env);
  await useEngine(docker, host);

  const listed = await program.ok(["ls"], { env: { ...env, DOCKER_HOST: docker["DOCKER_HOST"] } });
  assert.match(listed, /^web\s+\*\s+generic\s+Running\s+tcp:\/\/[\d.]+:2376\s+v\d+\.\d+\.\d+/mu);
  assert.equal(await program.ok(["active"], { env: { ...env, DOCKER_HOST: docker["DOCKER_HOST"] } }), "web\n");
  assert.equal(await program.ok(["ip", "web"], { env }), `${host.address}\n`);
  assert.equal(await program.ok(["url", "web"], { env }), `tcp://${host.address}:2376\n`);
  assert.equal(await program.ok(["status", "web"], { env }), "Running\n");
  assert.equal(await program.ok(["inspect", "web", "-f", "{{.Driver.IPAddress}}"], { env }), `${host.address}\n`);
  assert.match(await program.ok(["version", "web"], { env }), /^\d+\.\d+\.\d+/u);
  assert.match(
    await program.ok(["config", "web"], { env }),
    /^--tlsverify\n--tlscacert=".+"\n--tlscert=".+"\n--tlskey=".+"\n-H=tcp:\/\//u,
  );

  await useSsh(program, env);
  await useScp(program, host, env);
  await assertPermissions(program, host);

  await repeatSetUp(program, host, env);
  await program.ok(["env", "web"], { env });
  assert.match(await program.ok(["env", "-u"], { env }), /^unset DOCKER_TLS_VERIFY\n/u);
  assert.match(await program.ok(["rm", "-y", "web"], { env }), /Successfully removed web\n$/u);
  assert.deepEqual(await readdir(path.join(program.store, "machines")), []);
}

/** Where nothing has to change the engine is not restarted; for another certificate it is. */
async function repeatSetUp(program: Program, host: LabHost, env: Readonly<Record<string, string>>): Promise<void> {
  const startOfEngine = async (): Promise<string> =>
    await host.sh("systemctl show docker --property=ExecMainStartTimestampMonotonic");
  const start = await startOfEngine();
  await program.ok(["provision", "web"], { env });
  assert.equal(await startOfEngine(), start);
  await program.ok(["regenerate-certs", "--force", "web"], { env });
  assert.notEqual(await startOfEngine(), start);
}

/** A real docker client, over TLS. */
async function useEngine(docker: DockerEnvironment, host: LabHost): Promise<void> {
  await runContainer(docker, host);
  const info = JSON.parse(await output("docker", ["info", "--format", "{{json .}}"], { env: docker })) as { Labels: string[] };
  assert.ok(info.Labels.includes("provider=generic"));
}

async function useSsh(program: Program, env: Readonly<Record<string, string>>): Promise<void> {
  assert.equal(await program.ok(["ssh", "web", "--", "uname", "-s"], { env }), "Linux\n");
  assert.equal((await program.run(["ssh", "web", "exit 42"], { env })).status, 42);
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
  const echoed = await program.ok(["ssh", "web", "od -An -v -tx1 | tr -d ' \\n'"], { env, stdin: bytes });
  assert.equal(echoed, bytes.toString("hex"));
}

async function useScp(program: Program, host: LabHost, env: Readonly<Record<string, string>>): Promise<void> {
  const folder = path.join(program.folder, "tree");
  await mkdir(path.join(folder, "sub dir"), { recursive: true });
  await writeFile(path.join(folder, "a.txt"), "alpha\n");
  await writeFile(path.join(folder, "sub dir", "b.bin"), Buffer.from([0, 255, 10, 13]));
  await program.ok(["scp", "-q", path.join(folder, "a.txt"), "web:/tmp/a.txt"], { env });
  assert.equal(await host.sh("cat /tmp/a.txt"), "alpha");
  await program.ok(["scp", "-q", "-r", folder, "web:/tmp/"], { env });
  await program.ok(["scp", "-q", "-r", "web:/tmp/tree", path.join(program.folder, "back")], { env });
  assert.deepEqual([...(await readFile(path.join(program.folder, "back", "sub dir", "b.bin")))], [0, 255, 10, 13]);
}

/** Secrets are readable by their owner only, here and there. */
async function assertPermissions(program: Program, host: LabHost): Promise<void> {
  for (const file of [
    "certs/ca-key.pem",
    "certs/key.pem",
    "machines/web/config.json",
    "machines/web/server-key.pem",
    "machines/web/key.pem",
  ]) {
    assert.equal((await stat(path.join(program.store, file))).mode & 0o077, 0, file);
  }
  assert.equal(await host.sh("stat -c '%a %U' /etc/docker/server-key.pem"), "600 root");
}
