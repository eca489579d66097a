/**
 * A cluster of swarm mode from a fleet's file: formed by apply, rolled to another engine version with a service that answers
 * throughout, a manager lost and taken out, and destroyed. This kernel has no IPVS: the service is published at the hosts
 * themselves (`mode=host`, `dnsrr`); the routing mesh is not run.
 */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import * as path from "node:path";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { labUnavailableReason, openLab, type DockerRepository, type LabHost } from "../lab/lab.ts";
import { waitUntil } from "../lab/wait.ts";
import { Program } from "./program.ts";

const skip = (await labUnavailableReason()) ?? false;
const managers = ["m-1", "m-2", "m-3"];
const workers = ["w-1"];
const port = 8080;

test("a file's cluster is formed, upgraded while its service answers, loses a manager, and ends", { skip }, async (t) => {
  await using lab = await openLab();
  await using repository = await lab.serveDockerRepository();
  const [older = "", newer = ""] = repository.versions.bookworm.map((version) => /(\d+\.\d+\.\d+)/u.exec(version)?.[1] ?? "");
  const hosts = new Map<string, LabHost>();
  for (const name of [...managers, ...workers]) hosts.set(name, await lab.start("bookworm"));
  const hostOf = (name: string): LabHost => hosts.get(name) ?? assert.fail(name);
  await using program = await Program.open();
  const run = async (...words: string[]) => await program.run(words, { cwd: program.folder });
  const ok = async (...words: string[]): Promise<string> => await program.ok(words, { cwd: program.folder });
  const write = async (names: readonly string[], version: string): Promise<void> =>
    await writeFile(path.join(program.folder, "machines.yml"), fileOf(names, version, hostOf, repository));

  await t.test("apply forms it, and finds nothing to do afterwards", async () => {
    await write([...managers, ...workers], older);
    assert.match(await ok("apply", "--yes"), /4 of 4 applied/u);
    assert.equal((await hostOf("m-1").sh("docker node ls -q -f role=manager")).split("\n").length, 3);
    assert.equal((await hostOf("m-1").sh("docker node ls -q")).split("\n").length, 4);
    assert.match(await ok("plan"), /^Nothing to do: 4 machines/u);
  });

  await t.test("who left by hand, and who was made a worker, is drift, and apply takes them back", async () => {
    await hostOf("w-1").sh("docker swarm leave");
    await hostOf("m-1").sh("docker node demote $(docker node ls -q -f node.label=docker-machine.name=m-2)");
    await waitUntil("m-2 as a worker", 30_000, async () => {
      return (await hostOf("m-2").sh("docker info -f '{{.Swarm.ControlAvailable}}'")) === "false" || undefined;
    });
    const seen = await run("drift", "--detailed-exitcode");
    assert.equal(seen.status, 2, seen.stderr);
    assert.match(seen.stdout, /≠ m-2 +swarm: worker, not manager\n/u);
    assert.match(seen.stdout, /≠ w-1 +swarm: in no swarm, not worker\n/u);
    assert.match(await ok("apply", "--drift", "--yes"), /2 of 2 applied/u);
    assert.equal((await hostOf("m-1").sh("docker node ls -q -f role=manager")).split("\n").length, 3);
    assert.equal((await hostOf("m-1").sh("docker node ls -q")).split("\n").length, 4);
    assert.match(await ok("drift", "--detailed-exitcode"), /^No drift: 4 machines/u);
  });

  await t.test("engines become another version one at a time, and the service answers throughout", async () => {
    for (const host of hosts.values()) await host.sh(serverImage);
    await hostOf("m-1").sh(
      `docker service create -d -q --name web --replicas 3 --no-resolve-image --endpoint-mode dnsrr --update-order start-first --publish mode=host,target=80,published=${port} answering`,
    );
    await waitUntil("three replicas", 90_000, async () => {
      return (await hostOf("m-1").sh("docker service ls --format '{{.Replicas}}'")) === "3/3" || undefined;
    });
    await write([...managers, ...workers], newer);
    const asking = new AbortController();
    const silences = silencesOf([...hosts.values()], asking.signal);
    assert.match(await ok("apply", "--yes"), /4 of 4 applied/u);
    asking.abort();
    const { asked, silent } = await silences;
    assert.ok(asked > 50, `asked ${asked} times`);
    assert.equal(silent, 0, `of ${asked} times it answered nowhere ${silent} times`);
    for (const host of hosts.values()) assert.ok((await host.sh("docker version -f '{{.Server.Version}}'")).startsWith(newer));
    assert.match(await ok("plan"), /^Nothing to do: 4 machines/u);
  });

  await t.test("a manager that died is taken off the list when the file has it no more", async () => {
    await hostOf("m-3").stop();
    await write(["m-1", "m-2", ...workers], newer);
    assert.match(await ok("apply", "--prune", "--yes"), /applied/u);
    assert.equal((await hostOf("m-1").sh("docker node ls -q")).split("\n").length, 3);
    assert.match(await ok("plan"), /^Nothing to do: 3 machines/u);
  });

  await t.test("destroy ends it on boxes that stay", async () => {
    const destroyed = await program.run(["destroy", "--fleet", "prod"], { cwd: program.folder, stdin: "prod\n" });
    assert.equal(destroyed.status, 0, destroyed.stderr);
    for (const name of ["m-1", "m-2", ...workers])
      assert.equal(await hostOf(name).sh("docker info -f '{{.Swarm.LocalNodeState}}'"), "inactive", name);
    assert.equal((await run("ls", "-q")).stdout, "");
  });
});

function fileOf(
  names: readonly string[],
  version: string,
  hostOf: (name: string) => LabHost,
  { url, keyFingerprint }: DockerRepository,
): string {
  const machines = names.map((name) => {
    const { address, sshUser, sshPort, privateKeyPath } = hostOf(name);
    const login = `generic-ssh-user: ${sshUser}, generic-ssh-port: ${sshPort}, generic-ssh-key: "${privateKeyPath}"`;
    return `  ${name}: {generic-ip-address: "${address}", ${login}}`;
  });
  const list = (of: readonly string[]): string => `[${of.filter((name) => names.includes(name)).join(", ")}]`;
  const source = `source: docker, package-mirror: "${url}", package-keys: ["${keyFingerprint}"]`;
  return [
    "version: 1",
    "fleet: prod",
    `defaults: {driver: generic, engine: {version: "${version}", ${source}}}`,
    "machines:",
    ...machines,
    "rollout: {max-unavailable: 1, healthy: {within: 2m}}",
    `swarm: {shop: {managers: ${list(managers)}, workers: ${list(workers)}}}`,
    "",
  ].join("\n");
}

/** An image that answers on port 80, of what a bare Debian has. */
const serverImage = `
  libraries=$(ldd /usr/bin/perl | grep -o '/[^ ]*' | sed 's|^/||')
  tar -hc -C / usr/bin/perl usr/lib/x86_64-linux-gnu/perl-base $libraries |
    docker import -c 'CMD ["/usr/bin/perl", "-MIO::Socket::INET", "-e", "$SIG{TERM} = sub { exit }; my $s = IO::Socket::INET->new(LocalPort => 80, Listen => 64, ReuseAddr => 1); while (my $c = $s->accept) { print $c qq(up); close $c }"]' - answering > /dev/null`;

/** Asks the list of hosts every 100 ms until it answers somewhere; how often it answered nowhere. */
async function silencesOf(hosts: readonly LabHost[], signal: AbortSignal): Promise<{ asked: number; silent: number }> {
  let asked = 0;
  let silent = 0;
  while (!signal.aborted) {
    asked += 1;
    if (!(await answersSomewhere(hosts))) silent += 1;
    await delay(100);
  }
  return { asked, silent };
}

async function answersSomewhere(hosts: readonly LabHost[]): Promise<boolean> {
  for (const { address } of hosts) if (await answers(address)) return true;
  return false;
}

async function answers(address: string): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host: address, port, timeout: 2_000 });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("data", (text) => settle(text.toString() === "up"));
    socket
      .once("error", () => settle(false))
      .once("timeout", () => settle(false))
      .once("close", () => settle(false));
  });
}
