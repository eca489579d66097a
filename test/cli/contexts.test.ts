/** Docker contexts and entries of ssh_config for machines, as docker's own client and OpenSSH take them. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { after, before, describe, it } from "node:test";
import type { FakeEngine } from "../../src/engine/fake-engine.ts";
import { contextPaths } from "../../src/machine/integration/docker-config.ts";
import { startSshd, whyNot, type TestServer } from "../ssh/real-servers.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";
import { engineFor } from "./engine-fixture.ts";
import { addSshMachine } from "./ssh-machines.ts";

const hasDocker = spawnSync("docker", ["--version"]).status === 0;

describe("docker contexts", { skip: hasDocker ? false : "docker's client is not installed" }, () => {
  let shell: CommandLine;
  let engine: FakeEngine;
  let config: string;
  before(async () => {
    shell = await openCommandLine();
    config = path.join(shell.folder, "home", ".docker");
    await shell.ok("create -d none --url tcp://127.0.0.1:1 seed");
    engine = await engineFor(shell);
    for (const name of ["web", "default", "x"]) {
      await shell.ok(`create -d none --url ${engine.url} ${name}`);
      // The driver none sets nothing up: what `env` points at is put there as provisioning does.
      for (const file of ["ca.pem", "cert.pem", "key.pem"])
        await shell.copyInto(path.join(shell.store, "certs", file), path.join("store", "machines", name, file));
    }
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
    await shell[Symbol.asyncDispose]();
  });

  // Not synchronously: the engine is in this process.
  const docker = async (...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> => {
    const child = spawn("docker", args, { env: { PATH: process.env["PATH"], DOCKER_CONFIG: config }, timeout: 30_000 });
    const texts = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk: Buffer) => (texts.stdout += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (texts.stderr += chunk.toString()));
    const [status] = (await once(child, "close")) as [number | null];
    return { status, ...texts };
  };
  const shown = async (name: string): Promise<unknown[]> => {
    const [found] = JSON.parse((await docker("context", "inspect", name)).stdout) as [
      { Metadata: { Description: string }; Endpoints: { docker: { Host: string } } },
    ];
    return [found.Endpoints.docker.Host, found.Metadata.Description];
  };
  const names = async (): Promise<string[]> => (await docker("context", "ls", "--format", "{{.Name}}")).stdout.trim().split("\n");

  it("lead docker's client to the machine, with its certificates, that only the user may read", async () => {
    await shell.ok("context create web");
    assert.deepEqual(await names(), ["default", "web"]);
    // The engine's own words, over TLS: of paths with a version in front this one knows none.
    assert.match((await docker("--context", "web", "version")).stderr, /page not found/u);
    const { certificates, metaFolder } = contextPaths(config, "web");
    assert.equal(statSync(path.join(certificates, "key.pem")).mode & 0o777, 0o600);
    assert.equal(statSync(certificates).mode & 0o777, 0o700);
    assert.ok(existsSync(metaFolder));
  });

  it("have other names where docker reserves or refuses the machine's", async () => {
    await shell.ok("context create default x");
    assert.deepEqual(await names(), ["default", "dm-default", "dm-x", "web"]);
    assert.match((await docker("--context", "dm-x", "version")).stderr, /page not found/u);
  });

  it("become the current one, say what beats them, and leave the rest of config.json as it is", async () => {
    const file = path.join(config, "config.json");
    const text = '{\n\t"auths": {\n\t\t"r": {}\n\t},\n\t"odd": 1.0e3,\n\t"detachKeys": "ctrl-e"\n}';
    writeFileSync(file, text);
    const used = await shell.run(["context", "use", "web"], { env: { DOCKER_HOST: "tcp://192.0.2.1:1" } });
    assert.match(used.stderr, /DOCKER_HOST is set to tcp:\/\/192\.0\.2\.1:1/u);
    assert.equal((await docker("context", "show")).stdout, "web\n");
    assert.equal(readFileSync(file, "utf8").replace(/,\n\t"currentContext": "web"/u, ""), text);
    assert.equal((await shell.run(["context", "use", "web"])).stderr, "");
    // All machines here have one address; of several, it is the first.
    assert.equal(await shell.ok("active"), "default\n");
    assert.match(await shell.ok("ls --filter name=web"), /^web +\* +none/mu);
    assert.equal((await shell.run(["active"], { env: { DOCKER_HOST: "tcp://192.0.2.1:1" } })).code, 1);
  });

  it("follow the machine's address, and keep what the user wrote into them", async () => {
    assert.equal((await docker("context", "update", "web", "--description", "mine")).status, 0);
    const record = JSON.parse(await shell.recordText("web")) as { Driver: Record<string, unknown> };
    record.Driver["URL"] = "tcp://127.0.0.2:2376";
    await shell.addRecord("web", JSON.stringify(record, undefined, 4));
    const drifted = await shell.run(["--output", "json", "doctor", "-v", "web"]);
    assert.equal(
      (JSON.parse(drifted.stdout) as { check: string; state: string }[]).find(({ check }) => check === "integration")?.state,
      "warn",
    );
    await shell.run(["doctor", "--fix", "web"]);
    assert.deepEqual(await shown("web"), ["tcp://127.0.0.2:2376", "mine"]);
    record.Driver["URL"] = engine.url;
    await shell.addRecord("web", JSON.stringify(record, undefined, 4));
    await shell.ok("label web any=save");
    assert.deepEqual(await shown("web"), [engine.url, "mine"]);
  });

  it("that lead elsewhere by hand are left so, until somebody asks for them", async () => {
    const [elsewhere, words] = ["tcp://192.0.2.9:2376", 'The docker context "web" was changed by hand, and led to'];
    const edit = async (): Promise<void> =>
      assert.equal((await docker("context", "update", "web", "--docker", `host=${elsewhere}`)).status, 0);
    await edit();
    assert.equal((await shell.run(["label", "web", "other=save"])).stderr, "");
    assert.equal((await shown("web"))[0], elsewhere);
    const { stdout } = await shell.run(["--output", "json", "doctor", "web"]);
    assert.match(stdout, /the context \\"web\\" was changed by hand, and leads to tcp:\/\/192\.0\.2\.9:2376/u);
    await shell.run(["doctor", "--fix", "web"]);
    assert.equal((await shown("web"))[0], engine.url);
    for (const command of ["create", "use"]) {
      await edit();
      const { code, stderr } = await shell.run(["context", command, "web"]);
      assert.deepEqual([code, stderr], [0, `${words} ${elsewhere}: it leads to "web" again\n`]);
      assert.equal((await shown("web"))[0], engine.url);
    }
    assert.equal((await shell.run(["context", "create", "web"])).stderr, "");
  });

  it("of others are never touched", async () => {
    await shell.ok(`create -d none --url ${engine.url} theirs`);
    assert.equal((await docker("context", "create", "theirs", "--docker", "host=tcp://192.0.2.9:2376")).status, 0);
    const before = readFileSync(contextPaths(config, "theirs").metaFile, "utf8");
    for (const words of ["context create theirs", "context use theirs", "context rm theirs"]) {
      const { code, stderr } = await shell.run(words.split(" "));
      assert.equal(code, 1, words);
      assert.match(stderr, /did not make for this store/u);
    }
    await shell.ok("label theirs a=b");
    await shell.ok("rm -y theirs");
    assert.equal(readFileSync(contextPaths(config, "theirs").metaFile, "utf8"), before);
  });

  it("take their machine's new name, and stay the current one", async () => {
    await shell.ok("rename web shop");
    assert.equal((await docker("context", "show")).stdout, "shop\n");
    assert.deepEqual(await shown("shop"), [engine.url, "mine"]);
    await shell.ok("rename shop web");
    assert.deepEqual(await names(), ["default", "dm-default", "dm-x", "theirs", "web"]);
    await shell.ok("rename x shop");
    const { stdout: described } = await docker("context", "ls", "--format", "{{.Name}}: {{.Description}}");
    assert.match(described, /^shop: Machine "shop"$/mu);
    await shell.ok("rename shop x");
  });

  it("go with their machine, and a current one is left first", async () => {
    assert.equal((await docker("context", "show")).stdout, "web\n");
    await shell.ok("rm -y web");
    assert.equal((await docker("context", "show")).stdout, "default\n");
    assert.deepEqual(await names(), ["default", "dm-default", "dm-x", "theirs"]);
    assert.match(await shell.ok("context rm default x"), /was removed/u);
    assert.match(await shell.ok("context rm default"), /has no docker context/u);
    assert.deepEqual(await names(), ["default", "theirs"]);
    assert.equal(readdirSync(path.join(config, "contexts", "tls")).length, 0);
  });

  it("are refused in a sentence where DOCKER_CONFIG cannot be written, and no command on a machine fails for it", async () => {
    const broken = path.join(shell.folder, "config-file");
    writeFileSync(broken, "");
    const env = { DOCKER_CONFIG: broken };
    const { code, stderr } = await shell.run(["context", "create", "seed"], { env });
    assert.equal(code, 1);
    assert.match(stderr, /config-file.*\nHint: .*DOCKER_CONFIG\.$/mu);
    assert.doesNotMatch(stderr, /Unexpected|--storage-path/u);
    assert.equal((await shell.run(["label", "seed", "a=b"], { env })).code, 0);
    const elsewhere = path.join(shell.folder, "elsewhere");
    assert.equal((await shell.run(["context", "create", "x"], { env: { DOCKER_CONFIG: elsewhere } })).code, 0);
    assert.ok(existsSync(contextPaths(elsewhere, "dm-x").metaFile));
  });
});

describe("ssh_config", { skip: whyNot("sshd") ?? false }, () => {
  let shell: CommandLine;
  let server: TestServer;
  let file: string;
  before(async () => {
    shell = await openCommandLine();
    server = await startSshd();
    file = path.join(shell.folder, "home", ".ssh", "config");
    await addSshMachine(shell, server, { name: "web" });
    await shell.ok("exec web -- true");
  });
  after(async () => {
    await server.stop();
    await shell[Symbol.asyncDispose]();
  });

  const ssh = (...args: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync("ssh", ["-F", file, ...args], { encoding: "utf8", env: { PATH: process.env["PATH"] } });

  it("is printed for machines that are named, and for all", async () => {
    const text = await shell.ok("ssh-config web");
    assert.match(text, /^Host web\.docker-machine$/mu);
    for (const line of [
      /IdentitiesOnly yes/u,
      /StrictHostKeyChecking yes/u,
      /HostKeyAlias web/u,
      /UserKnownHostsFile \S+machines\/web\/known_hosts/u,
    ])
      assert.match(text, line);
    assert.equal(await shell.ok("ssh-config"), text);
    assert.equal(existsSync(file), false);
  });

  it("is written only after a yes, first of all, and nothing of the user's changes", async () => {
    mkdirSync(path.dirname(file), { mode: 0o700 });
    const theirs = "# mine\nHost *\n  Compression yes\n";
    const real = path.join(shell.folder, "dotfiles");
    writeFileSync(real, theirs, { mode: 0o640 });
    symlinkSync(real, file);
    assert.equal((await shell.run(["ssh-config", "--install"])).code, 2);
    assert.equal((await shell.run(["ssh-config", "--install"], { stdin: "n\n" })).code, 0);
    assert.equal(readFileSync(real, "utf8"), theirs);
    await shell.ok("ssh-config --install", { stdin: "y\n" });
    await shell.ok("ssh-config --install");
    assert.equal(readFileSync(real, "utf8"), `Include ${path.join(shell.store, "ssh_config")}\n\n${theirs}`);
    assert.equal(statSync(real).mode & 0o777, 0o640);
    assert.equal(ssh("-G", "anything").stdout.match(/^compression yes$/mu)?.[0], "compression yes");
  });

  it("has ssh log in with the machine's key, and believe the pinned host key alone", async () => {
    chmodSync(path.join(shell.folder, "dotfiles"), 0o600);
    const { status, stdout, stderr } = ssh("-o", "BatchMode=yes", "web.docker-machine", "echo in");
    assert.deepEqual([status, stdout], [0, "in\n"], stderr);
    const pinned = path.join(path.dirname(shell.recordPath("web")), "known_hosts");
    const text = readFileSync(pinned, "utf8");
    writeFileSync(pinned, "");
    assert.notEqual(ssh("-o", "BatchMode=yes", "web.docker-machine", "true").status, 0);
    writeFileSync(pinned, text);
  });

  it("follows new machines and changes, and loses the entry with the machine", async () => {
    await shell.ok("create -d none --url tcp://127.0.0.1:1 plain");
    await addSshMachine(shell, server, { name: "db", userName: "other" });
    await shell.ok("label db a=b");
    assert.match(ssh("-G", "db.docker-machine").stdout, /^user other$/mu);
    await addSshMachine(shell, server, { name: "db", userName: "another" });
    assert.equal((await shell.run(["doctor", "db"])).code, 1);
    await shell.run(["doctor", "--fix", "db"]);
    assert.match(ssh("-G", "db.docker-machine").stdout, /^user another$/mu);
    await shell.ok("rm -y db");
    assert.doesNotMatch(ssh("-G", "db.docker-machine").stdout, /^user another$/mu);
  });

  it("is taken out again", async () => {
    await shell.ok("ssh-config --uninstall");
    assert.equal(readFileSync(file, "utf8"), "# mine\nHost *\n  Compression yes\n");
    assert.equal(existsSync(path.join(shell.store, "ssh_config")), false);
    await shell.ok("label web a=b");
    assert.equal(existsSync(path.join(path.dirname(shell.recordPath("web")), "ssh_config")), false);
  });
});
