/**
 * The command lines, environment and files that CI runners and platforms rely on (docs/plugin-protocol.md and
 * docs/differences.md say which). GitLab Runner puts `--bugsnag-api-token` first, always.
 */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, it } from "node:test";
import type { Outcome } from "../golden/replay.ts";
import { badPlugin, openCommandLine, pluginRecord, samplePlugin, type CommandLine } from "./command-line.ts";
import { engineFor } from "./engine-fixture.ts";

const runner = async (shell: CommandLine, ...args: readonly string[]): Promise<Outcome> =>
  await shell.run(["--bugsnag-api-token=no-report", ...args]);

/** Machines as a runner finds them: by reading the folder. */
function foldersOf(shell: CommandLine): string[] {
  return readdirSync(path.join(shell.store, "machines")).filter((name) => !name.startsWith("."));
}

const name = "runner-t1-x3-ci-1700000000-0a1b2c3d";

describe("GitLab Runner", () => {
  it("creates, checks, reads the credentials of, and removes a machine", async () => {
    await using shell = await openCommandLine();
    await runner(shell, "create", "--driver", "none", "--url=tcp://127.0.0.1:1", "seed");
    await using engine = await engineFor(shell);

    const created = await runner(
      shell,
      "create",
      "--driver",
      "none",
      `--url=${engine.url}`,
      "--engine-registry-mirror=https://m",
      "--engine-opt=mtu=1450",
      "--engine-install-url=https://get.docker.com",
      name,
    );
    assert.equal(created.code, 0, created.stderr);
    // What a runner gets on standard error it logs as an error.
    assert.equal(created.stderr, "");
    assert.deepEqual(foldersOf(shell).toSorted(), [name, "seed"]);
    const record = JSON.parse(await shell.recordText(name)) as { DriverName: string; Driver: object };
    assert.equal(record.DriverName, "none");
    assert.equal(statSync(shell.recordPath(name)).mode & 0o777, 0o600);

    assert.deepEqual(await runner(shell, "inspect", name), { code: 0, stdout: `${await shell.recordText(name)}\n`, stderr: "" });
    assert.equal((await runner(shell, "config", name)).code, 0);
    assert.equal((await runner(shell, "url", name)).stdout, `${engine.url}\n`);
    const { stdout } = await runner(shell, "inspect", name, "-f", "{{.HostOptions.AuthOptions.StorePath}}");
    assert.equal(stdout, `${path.dirname(shell.recordPath(name))}\n`);

    assert.equal((await runner(shell, "rm", "-y", name)).code, 0);
    assert.deepEqual(foldersOf(shell), ["seed"]);
    assert.equal((await runner(shell, "inspect", name)).code, 4);
  });

  it("learns from `config` that an engine is gone, or is somebody else's", async () => {
    await using shell = await openCommandLine();
    await using strangers = await openCommandLine();
    for (const each of [shell, strangers]) await runner(each, "create", "-d", "none", "--url=tcp://127.0.0.1:1", "seed");
    assert.equal((await runner(shell, "config", "seed")).code, 1);
    await using engine = await engineFor(strangers);
    await runner(shell, "create", "-d", "none", `--url=${engine.url}`, "theirs");
    const { code, stdout, stderr } = await runner(shell, "config", "theirs");
    assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
    assert.match(stderr, /^Error running connection boilerplate: .*There was an error validating certificates for host/u);
  });

  it("keeps the machine when its driver could not remove it, until it is forced", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("bad", badPlugin("ends early"));
    await shell.addRecord("web", pluginRecord("web", "bad", 1));
    const removed = await runner(shell, "rm", "-y", "web");
    assert.equal(removed.code, 1);
    assert.match(removed.stderr, /^Error removing host "web": /u);
    assert.deepEqual(foldersOf(shell), ["web"]);
    assert.equal((await runner(shell, "rm", "-f", "web")).code, 0);
    assert.deepEqual(foldersOf(shell), []);
  });

  it("finds a machine whose create failed in the folder, or no trace of it", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("bad", badPlugin("ends early"));
    assert.notEqual((await runner(shell, "create", "-d", "bad", "web")).code, 0);
    const left = existsSync(path.join(shell.store, "machines")) ? foldersOf(shell) : [];
    for (const folder of left) JSON.parse(await readFile(shell.recordPath(folder), "utf8"));
  });

  it("works on one store with many processes at once, from the first moment on", async () => {
    await using shell = await openCommandLine();
    const names = Array.from({ length: 6 }, (_, index) => `runner-${index}`);
    const flags = ["create", "--driver", "none", "--url=tcp://127.0.0.1:1"];
    const created = await Promise.all(names.map(async (each) => await runner(shell, ...flags, each)));
    assert.deepEqual(
      created.map(({ code, stderr }) => ({ code, stderr })),
      names.map(() => ({ code: 0, stderr: "" })),
    );
    const certificate = (file: string): X509Certificate =>
      new X509Certificate(readFileSync(path.join(shell.store, "certs", file)));
    assert.ok(certificate("cert.pem").verify(certificate("ca.pem").publicKey));
    assert.deepEqual(foldersOf(shell).toSorted(), names);
    const removed = await Promise.all(names.map(async (each) => await runner(shell, "rm", "-y", each)));
    assert.ok(removed.every(({ code }) => code === 0));
    assert.deepEqual(foldersOf(shell), []);
  });
});

describe("a platform that runs one job a machine", () => {
  it("passes driver options as --name value, or in the driver's variables", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("sample", samplePlugin);
    const help = await shell.ok("create --driver sample --help", { env: { SAMPLE_TEXT: "ours" } });
    assert.match(help, /^ {3}--sample-text "plain"\t.*\[\$SAMPLE_TEXT\]$/mu);
    const refused = await shell.run(["create", "--driver=sample", "web"], { env: { SAMPLE_TEXT: "bad" } });
    assert.match(refused.stderr, /^Error setting machine configuration from flags provided: --sample-text is bad$/mu);
  });

  it("takes the sentence about a machine that is not there for a success of rm", async () => {
    await using shell = await openCommandLine();
    const { code, stderr } = await shell.run(["rm", "-y", "gone"]);
    assert.equal(code, 4);
    assert.match(stderr, /^Error removing host "gone": Docker machine "gone" does not exist\./u);
  });
});

describe("scripts", () => {
  it("find the lines of several machines as 0.16.2 prints them", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("sample", samplePlugin);
    for (const each of ["a", "b"]) await shell.addRecord(each, pluginRecord(each, "sample", 1));
    const stopped = await shell.run(["stop", "a", "b"]);
    assert.deepEqual(stopped.stdout.trimEnd().split("\n").toSorted(), [
      'Machine "a" was stopped.',
      'Machine "b" was stopped.',
      'Stopping "a"...',
      'Stopping "b"...',
    ]);
    const again = await shell.run(["stop", "a", "b"]);
    assert.equal(again.code, 1);
    assert.equal(again.stderr, 'Machine "a" is already stopped.\nMachine "b" is already stopped.\n');
  });

  it("get `ls` within its bound beside a plugin that never answers", async () => {
    await using shell = await openCommandLine();
    await shell.addPlugin("silent", badPlugin("never answers"));
    await shell.addPlugin("sample", samplePlugin);
    await shell.addRecord("mute", pluginRecord("mute", "silent", 1));
    await shell.addRecord("web", pluginRecord("web", "sample", 4));
    assert.equal(
      await shell.ok("--timeout 9s ls -t 5 -f {{.Name}}:{{.State}}:{{.Active}}:{{.DockerVersion}}"),
      "mute:Timeout::\nweb:Stopped:-:Unknown\n",
    );
    assert.equal(
      (await shell.run(["active", "-t", "1"], { env: { DOCKER_HOST: "tcp://127.0.0.1:1" } })).stderr.split("\n")[0],
      "Error getting active host: timeout",
    );
  });
});
