/** A fleet of real hosts from a file: made, looked at, changed behind its back and put right, grown by two, and taken down. */
import assert from "node:assert/strict";
import { randomUUID, X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { labUnavailableReason, openLab, type Lab, type LabHost } from "../lab/lab.ts";
import { Program } from "./program.ts";

const unavailable = await labUnavailableReason();
const names = ["web-1", "web-2", "web-3", "db", "build"];
const further = ["web-4", "web-5"];

describe("a fleet of five hosts", { skip: unavailable ?? false }, () => {
  let lab: Lab;
  let hosts: ReadonlyMap<string, LabHost>;
  let program: Program;
  before(async () => {
    lab = await openLab();
    const started = new Map<string, LabHost>();
    for (const pair of [names.slice(0, 2), names.slice(2, 4), [...names.slice(4), ...further.slice(0, 1)], further.slice(1)])
      for (const [name, host] of await Promise.all(pair.map(async (each) => [each, await lab.start("bookworm-engine")] as const)))
        started.set(name, host);
    hosts = started;
    program = await Program.open();
  });
  after(async () => {
    await program[Symbol.asyncDispose]();
    await lab.close();
  });

  function hostOf(name: string): LabHost {
    return hosts.get(name) ?? assert.fail(name);
  }

  /** Each machine with its own box; the roles are labels. @param further by name: what is said of a machine besides, its labels too */
  async function write(
    machines: readonly string[],
    engine = "opts: [log-driver=local]",
    further: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    const entries = machines.map((name) => {
      const { address, sshUser, sshPort, privateKeyPath } = hostOf(name);
      const login = `generic-ssh-user: ${sshUser}, generic-ssh-port: ${sshPort}, generic-ssh-key: "${privateKeyPath}"`;
      const box = `generic-ip-address: "${address}", ${login}`;
      return `  ${name}: {${box}, ${further[name] ?? `labels: {role: ${name.replace(/-\d$/u, "")}}`}}`;
    });
    const text = `version: 1\nfleet: shop\ndefaults: {driver: generic, engine: {${engine}}}\nmachines:\n${entries.join("\n")}\n`;
    await writeFile(path.join(program.folder, "machines.yml"), text);
  }

  const run = async (...words: string[]) => await program.run(words, { cwd: program.folder });
  const ok = async (...words: string[]): Promise<string> => await program.ok(words, { cwd: program.folder });

  test("is made at once, each machine with its labels and the engine as it is wanted", async () => {
    await write(names);
    assert.match(await ok("apply", "--yes"), /\n5 of 5 applied to the fleet shop\.\n$/u);
    assert.match(await ok("plan"), /^Nothing to do: 5 machines/u);
    assert.equal((await ok("ls", "-q", "--filter", "label=role=web")).trim().split("\n").length, 3);
    const drivers = await ok("exec", "--all", "--group", "--", "docker info -f '{{.LoggingDriver}}'");
    assert.match(drivers, /\(5\):\nlocal\n$/u);
  });

  test("shows no drift, then what somebody did behind its back, and puts that right", async () => {
    assert.match(await ok("drift", "--detailed-exitcode"), /^No drift: 5 machines/u);
    await hostOf("db").sh("systemctl stop docker.socket docker");
    await hostOf("build").sh("echo '# by hand' >> /etc/systemd/system/docker.service.d/10-machine.conf");
    const seen = await run("drift", "--detailed-exitcode");
    assert.equal(seen.status, 2, seen.stderr);
    assert.match(seen.stdout, /≠ db +engine: stopped, not running\n/u);
    assert.match(
      seen.stdout,
      /≠ build +\/etc\/systemd\/system\/docker\.service\.d\/10-machine\.conf: changed, not as provisioned\n/u,
    );
    assert.equal((await run("plan", "--detailed-exitcode")).status, 0);
    await ok("apply", "--drift", "--yes");
    assert.match(await ok("drift", "--detailed-exitcode"), /^No drift: 5 machines/u);
  });

  test("grows by two, and changes its engines where the file does", async () => {
    await write([...names, ...further], "opts: [log-driver=json-file]");
    const shown = await ok("plan");
    assert.match(shown, /2 to create, 5 to change\.\n$/u);
    await ok("apply", "--yes");
    assert.match(await ok("plan"), /^Nothing to do: 7 machines/u);
    assert.match(await ok("exec", "--all", "--group", "--", "docker info -f '{{.LoggingDriver}}'"), /\(7\):\njson-file\n$/u);
  });

  test("has each setting where it belongs once the file says it, and once it says it otherwise", async () => {
    const [first, second] = [randomUUID(), randomUUID()];
    const env = { FIRST_TOKEN: first, SECOND_TOKEN: second };
    const host = hostOf("build");
    const all = [...names, ...further];
    const opts = "opts: [log-driver=json-file]";
    const subjectNames = async (): Promise<string> =>
      new X509Certificate(await host.sh("cat /etc/docker/server.pem")).subjectAltName ?? "";
    const environment = async (): Promise<string> => await host.sh("tr '\\0' '\\n' < /proc/$(pidof dockerd)/environ");
    const timer = "systemctl is-active docker-machine-ttl.timer";

    const engine = (token: string): string =>
      `engine: {version: "20.10", env: ["REGISTRY_TOKEN=env:${token}"], labels: [tier=ci]}`;
    await write(all, opts, {
      build: `labels: {role: ci}, tls-san: [build.example], ttl: 8h, ttl-power-off: true, ${engine("FIRST_TOKEN")}`,
    });
    const planned = await ok("plan");
    for (const line of [
      "engine-version 20.10 (upgrades the engine)",
      "engine-env REGISTRY_TOKEN=env:FIRST_TOKEN (restarts the engine)",
      "engine-label tier=ci (restarts the engine)",
      "tls-san build.example (restarts the engine)",
      "ttl 8h (counted from now on)",
      "labels.role build → ci",
    ])
      assert.ok(planned.includes(line), `${line} in ${planned}`);
    assert.match(planned, /\n1 to change\.\n$/u);
    const applied = await program.ok(["apply", "--yes"], { cwd: program.folder, env });
    assert.equal(applied.includes(first), false);
    assert.match(await subjectNames(), /build\.example/u);
    assert.ok((await environment()).split("\n").includes(`REGISTRY_TOKEN=${first}`));
    assert.match(await host.sh("docker info -f '{{.Labels}}'"), /tier=ci/u);
    assert.equal(await host.sh(timer), "active");
    assert.equal((await ok("ls", "-q", "--filter", "label=role=ci")).trim(), "build");
    assert.equal((await ok("inspect", "build", "--format", "{{.Extra.EngineVersion}}")).trim(), "20.10");
    assert.match(await ok("plan"), /^Nothing to do: 7 machines/u);

    await write(all, opts, { build: `labels: {role: build}, ${engine("SECOND_TOKEN")}` });
    const changed = await ok("plan");
    assert.match(
      changed,
      /engine-env REGISTRY_TOKEN=env:FIRST_TOKEN → REGISTRY_TOKEN=env:SECOND_TOKEN \(restarts the engine\)\n/u,
    );
    assert.match(changed, /tls-san build\.example → none \(restarts the engine\)\n/u);
    assert.match(changed, /ttl 8h → none \(counted from now on\)\n/u);
    await program.ok(["apply", "--yes"], { cwd: program.folder, env });
    assert.doesNotMatch(await subjectNames(), /build\.example/u);
    assert.ok((await environment()).split("\n").includes(`REGISTRY_TOKEN=${second}`));
    assert.notEqual((await host.exec(timer)).status, 0);
    assert.match(await ok("plan"), /^Nothing to do: 7 machines/u);
  });

  test("is unknown where a host does not answer, and gone once it is destroyed", async () => {
    await hostOf("web-5").stop();
    const seen = await run("drift");
    assert.equal(seen.status, 1);
    assert.match(seen.stdout, /\? web-5 +unknown: /u);
    const destroyed = await program.run(["destroy", "--fleet", "shop"], { cwd: program.folder, stdin: "shop\n" });
    assert.equal(destroyed.status, 0, destroyed.stderr);
    assert.equal(await ok("ls", "-q"), "");
  });
});
