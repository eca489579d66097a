/** `doctor` by the program: what it prints, its status, what it costs, and that it ends. Rows are tested beside their code. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import * as path from "node:path";
import { after, before, describe, it } from "node:test";
import { markOf } from "../../src/machine/secrets/conceal.ts";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { quoteCommand } from "../../src/ssh/shell-quote.ts";
import { programUnderTest, type Outcome } from "../golden/replay.ts";
import { misfits, type Schema } from "../support/json-schema.ts";
import { SmallFileSystem } from "../support/small-file-system.ts";
import { startSshd, whyNot, type TestServer } from "../ssh/real-servers.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";
import { addSshMachine } from "./ssh-machines.ts";

interface Told {
  readonly machine: string | null;
  readonly check: string;
  readonly state: string;
  readonly fixable: boolean;
}

describe("what doctor advises about a store, done as it says", () => {
  /** Runs what stands behind `Do:`, with a sudo that changes nobody, and looks again. */
  async function follow(shell: CommandLine, store: string, edit = (advice: string) => advice): Promise<Outcome> {
    const env = { MACHINE_STORAGE_PATH: store };
    const { stdout } = await shell.run(["doctor"], { env });
    const advice = edit(/^ {2}Do: (.*)$/mu.exec(stdout)?.[1] ?? "");
    const bin = path.join(shell.folder, "bin");
    const [file = "", ...prefix] = programUnderTest();
    writeFileSync(path.join(bin, "sudo"), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
    writeFileSync(path.join(bin, "docker-machine"), `#!/bin/sh\nexec ${quoteCommand([file, ...prefix])} "$@"\n`, { mode: 0o755 });
    const searched = `${bin}:${process.env["PATH"]}`;
    const { status, stderr } = spawnSync("sh", ["-c", advice], {
      env: { ...env, PATH: searched, NODE_NO_WARNINGS: "1" },
      encoding: "utf8",
    });
    assert.equal(status, 0, `${stdout}${stderr}`);
    return await shell.run(["doctor"], { env });
  }
  const well = { code: 0, stdout: "Nothing is wrong with this computer and 0 machines.\n", stderr: "" };

  it("wherever it is", async () => {
    await using shell = await openCommandLine();
    const store = path.join(shell.folder, "my store");
    mkdirSync(path.join(store, "machines"), { recursive: true });
    chmodSync(path.join(store, "machines"), 0o755);
    assert.deepEqual(await follow(shell, store), well);
  });

  it("on a file system that is mounted read-only", async (t) => {
    const mounted = SmallFileSystem.mount(200_000);
    if (typeof mounted === "string") return t.skip(mounted);
    using disk = mounted;
    await using shell = await openCommandLine();
    const store = path.join(disk.folder, "store");
    mkdirSync(store, { mode: 0o700 });
    assert.equal(spawnSync("mount", ["-o", "remount,ro", disk.folder]).status, 0);
    assert.deepEqual(await follow(shell, store), well);
    assert.equal(spawnSync("mount", ["-o", "remount,ro", disk.folder]).status, 0);
    assert.deepEqual(await follow(shell, path.join(disk.folder, "not", "yet")), well);
  });

  it("on a full disk", async (t) => {
    const mounted = SmallFileSystem.mount(1_000);
    if (typeof mounted === "string") return t.skip(mounted);
    using disk = mounted;
    await using shell = await openCommandLine();
    const [store, elsewhere] = [path.join(disk.folder, "store"), path.join(shell.folder, "elsewhere")];
    await shell.ok("create -d none --url tcp://127.0.0.1:1 web", { env: { MACHINE_STORAGE_PATH: store } });
    await follow(shell, store, (advice) => advice.replace(/^.*move the store: /u, "").replaceAll("FOLDER", elsewhere));
    const record = readFileSync(path.join(elsewhere, "machines/web/config.json"), "utf8");
    assert.ok(!record.includes(store), record);
  });
});

describe("doctor", { skip: whyNot("sshd") ?? false }, () => {
  let shell: CommandLine;
  let server: TestServer;
  before(async () => {
    shell = await openCommandLine();
    server = await startSshd();
  });
  after(async () => {
    await server.stop();
    await shell[Symbol.asyncDispose]();
  });

  const told = async (...words: string[]): Promise<Told[]> => {
    const { stdout, stderr } = await shell.run(["--output", "json", "doctor", ...words]);
    const schema = JSON.parse(readFileSync("docs/facts.schema.json", "utf8")) as Schema;
    assert.deepEqual(misfits(JSON.parse(stdout), schema.properties?.["doctor"] ?? {}), [], stderr);
    return JSON.parse(stdout) as Told[];
  };

  it("says in one line that all is well, and ends with 0", async () => {
    assert.deepEqual(await shell.run(["doctor"]), {
      code: 0,
      stdout: "Nothing is wrong with this computer and 0 machines.\n",
      stderr: "",
    });
  });

  it("finds what is wrong with each machine, first things first, and ends with 1", async () => {
    await addSshMachine(shell, server, { name: "gone", port: 1 });
    await addSshMachine(shell, server, { name: "nobody", userName: "nosuchuser" });
    await shell.addRecord("broken", "{");
    assert.deepEqual(
      (await told()).map(({ machine, check, state }) => [machine, check, state]),
      [
        ["broken", "record", "fail"],
        ["gone", "ssh-port", "fail"],
        ["nobody", "login", "fail"],
      ],
    );
    const { code, stdout } = await shell.run(["doctor", "gone"]);
    assert.equal(code, 1);
    assert.match(
      stdout,
      /^gone: wrong: ssh-port\n {2}Nothing listens .*\n {2}Because: .*\n {2}Do: .*\n1 finding on 1 of 1 looked at\.\n$/u,
    );
    assert.equal((await told("-v", "gone")).find(({ check }) => check === "login")?.state, "skipped");
    const mistyped = await shell.run(["doctor", "nobody", "gome"]);
    assert.equal(mistyped.code, 4);
    assert.equal(mistyped.stdout, "");
    assert.match(mistyped.stderr, /^Docker machine "gome" does not exist\.[^\n]*\nHint: Did you mean "gone"\?\n$/u);
  });

  it("finds a driver that is not there, a secret that leads nowhere, and a name that nobody knows", async () => {
    await addSshMachine(shell, server, { name: "lost" });
    await shell.addRecord("lost", (await shell.recordText("lost")).replaceAll('"generic"', '"nosuch"'));
    await addSshMachine(shell, server, { name: "nameless" });
    await shell.addRecord("nameless", (await shell.recordText("nameless")).replaceAll(server.hostName, "machine.invalid"));
    await addSshMachine(shell, server, { name: "unkept" });
    const record = JSON.parse(await shell.recordText("unkept")) as { HostOptions: { EngineOptions: object } };
    Object.assign(record.HostOptions.EngineOptions, { Env: [`TOKEN=${markOf("engine-env.0")}`] });
    await shell.addRecord("unkept", JSON.stringify(record));
    const secrets = { version: 1, secrets: { "engine-env.0": { reference: "env:NO_SUCH_TOKEN" } } };
    writeFileSync(path.join(shell.store, "machines/unkept/secrets.json"), JSON.stringify(secrets), { mode: 0o600 });
    assert.deepEqual(
      (await told("lost", "nameless", "unkept")).map(({ machine, check }) => [machine, check]),
      [
        ["lost", "driver"],
        ["nameless", "dns"],
        ["unkept", "driver"],
      ],
    );
    await shell.ok("rm -f lost nameless unkept");
  });

  for (const [what, env] of Object.entries({
    "a context that DOCKER_HOST beats": { DOCKER_HOST: "tcp://127.0.0.1:2376", DOCKER_CONTEXT: "other" },
    "variables of an earlier address": { DOCKER_HOST: "tcp://192.0.2.99:2376", DOCKER_MACHINE_NAME: "gone" },
    "certificates of a machine that is gone": { DOCKER_CERT_PATH: "/no/such/folder" },
    "a version of the API that nobody speaks": { DOCKER_API_VERSION: "1.10" },
    "a proxy that is asked for engines": { HTTPS_PROXY: "http://proxy.example:3128" },
  }))
    it(`finds in the shell ${what}`, async () => {
      await using own = await openCommandLine();
      // Of this computer itself no proxy is asked.
      await own.ok(`create -d none --url tcp://${"HTTPS_PROXY" in env ? "192.0.2.7" : "127.0.0.1"}:1 far`);
      const { code, stdout } = await own.run(["--output", "json", "doctor"], { env });
      const found = (JSON.parse(stdout) as Told[]).filter(({ machine }) => machine === null);
      assert.deepEqual([code, found.map(({ check, state }) => [check, state])], [1, [["shell", "warn"]]]);
    });

  it("is not the first that meets a box which another machine is, too", async () => {
    await using own = await openCommandLine();
    for (const [name, words] of [
      ["first", ", trusted on first use"],
      ["second", ', the same as that of "first"'],
    ] as const) {
      await addSshMachine(own, server, { name });
      const { stderr } = await own.run(["ssh", name, "true"]);
      assert.match(stderr, new RegExp(`^Host key of ${name} is SHA256:\\S+${words}$`, "mu"));
    }
    // As if the box had changed its key since.
    for (const name of ["first", "second"])
      writeFileSync(path.join(own.store, "machines", name, "known_hosts"), `${name} ${generateKeyPair("").publicKey}\n`);
    for (const native of [[], ["--native-ssh"]]) {
      const name = `third${native.length}`;
      await addSshMachine(own, server, { name });
      const { code, stderr } = await own.run([...native, "ssh", name, "true"]);
      assert.notEqual(code, 0);
      assert.match(stderr, /is not the one of "first", which is the same box: .* Nothing was sent$/mu);
      assert.ok(!existsSync(path.join(own.store, "machines", name, "known_hosts")));
    }
  });

  it("mends modes, says so before, and finds nothing to do the second time", async () => {
    const certs = path.join(shell.store, "machines", "gone");
    chmodSync(certs, 0o755);
    assert.deepEqual(
      (await told("gone")).map(({ check, fixable }) => [check, fixable]),
      [["folder", true]],
    );
    const fixed = await shell.run(["doctor", "--fix", "gone"]);
    assert.match(fixed.stderr, /^Fixing gone: take the rights of others away from .*machines\/gone$/mu);
    assert.equal(statSync(certs).mode & 0o777, 0o700);
    assert.match(fixed.stdout, /^gone: wrong: ssh-port$/mu);
    assert.doesNotMatch((await shell.run(["doctor", "--fix", "gone"])).stderr, /Fixing/u);
  });

  it("ends within its bounds where nobody answers", async () => {
    const sockets = new Set<Socket>();
    const hole: Server = createServer((socket) => void sockets.add(socket.on("error", () => {})));
    await new Promise<void>((resolve) => hole.listen(0, "127.0.0.1", resolve));
    try {
      const { port } = hole.address() as AddressInfo;
      await addSshMachine(shell, server, { name: "hole", port, enginePort: port });
      const startedMs = performance.now();
      assert.deepEqual(
        (await told("hole")).map(({ check }) => check),
        ["ssh-port"],
      );
      assert.ok(performance.now() - startedMs < 25_000);
    } finally {
      for (const socket of sockets) socket.destroy();
      hole.close();
    }
  });
});
