/** `with`: programs of this computer on a machine's engine, over real SSH servers, and what becomes of it when it is cut off. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import type { Socket } from "node:net";
import * as path from "node:path";
import { after, before, describe, it } from "node:test";
import { openSshExecutor } from "../../src/ssh/connect.ts";
import { formatPublicKey } from "../../src/ssh/public-key.ts";
import { programUnderTest } from "../golden/replay.ts";
import { startDropbear, startSshd, whyNot, type ServerOptions, type TestServer } from "../ssh/real-servers.ts";
import { sshTestContext, targetOn } from "../ssh/ssh-test-context.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";
import { engineFor } from "./engine-fixture.ts";
import { addSshMachine } from "./ssh-machines.ts";

const fakeHost = path.resolve("test/cli/docker-host-program.ts");

/** A server on which something answers at the engine's socket, and a machine there whose engine is reached over SSH. */
class Scene implements AsyncDisposable {
  readonly shell: CommandLine;
  readonly server: TestServer;

  private constructor(shell: CommandLine, server: TestServer) {
    this.shell = shell;
    this.server = server;
  }

  static async open(kind: "sshd" | "dropbear" = "sshd", options: ServerOptions = {}): Promise<Scene> {
    const scene = new Scene(await openCommandLine(), kind === "sshd" ? await startSshd(options) : await startDropbear());
    await addSshMachine(scene.shell, scene.server, { name: "web", extra: { EngineTransport: "ssh" } });
    await using ssh = await openSshExecutor("openssh", targetOn(scene.server), sshTestContext());
    const started = `setsid ${process.execPath} ${fakeHost} /var/run/docker.sock > /run/fake 2>&1 & until grep -q listening /run/fake; do :; done`;
    const { status, stderr } = await ssh.run(`mkdir -p /var/run; ${started}`, { timeoutMs: 30_000 });
    assert.equal(status, 0, stderr.toString());
    return scene;
  }

  /** Starts the program; what it runs is this Node with a script, unless told otherwise. */
  start(script: string, { before: flags = [], env = {} }: { before?: readonly string[]; env?: Record<string, string> } = {}) {
    const [file = "", ...prefix] = programUnderTest();
    const environment = { PATH: process.env["PATH"], HOME: this.shell.folder, MACHINE_STORAGE_PATH: this.shell.store, ...env };
    return spawn(file, [...prefix, ...flags, "with", "web", "--", process.execPath, "-e", script], {
      env: environment,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 60_000,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await this.shell[Symbol.asyncDispose]();
  }
}

async function firstLine(child: ReturnType<Scene["start"]>): Promise<string> {
  const [chunk] = (await once(child.stdout, "data")) as [Buffer];
  return chunk.toString().trim();
}

async function endOf(child: ReturnType<Scene["start"]>): Promise<{ status: number | null; stderr: string }> {
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdout.resume();
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stderr };
}

/** Established connections of this computer to a port. */
function connectionsTo(port: number): number {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return readFileSync("/proc/net/tcp", "utf8")
    .split("\n")
    .filter((line) => line.trim().split(/\s+/u)[2]?.endsWith(wanted) === true && line.includes(" 01 ")).length;
}

const sayHost = `console.log(process.env.DOCKER_HOST);`;
const forever = `${sayHost} setInterval(() => {}, 1000);`;

/** As many at once as asked for; each answers late, so that all are there together. */
const manyAtOnce = `
const { request } = require("node:http");
const socketPath = process.env.DOCKER_HOST.slice("unix://".length);
const ask = (path) => new Promise((resolve, reject) => request({ socketPath, path, agent: false }, (answer) => {
  let text = ""; answer.on("data", (chunk) => text += chunk); answer.on("end", () => resolve(text)); }).on("error", reject).end());
Promise.allSettled(Array.from({ length: COUNT }, () => ask("/slow"))).then((all) =>
  console.log(all.filter(({ value }) => value === "late").length));`;

for (const backend of ["openssh", "native"] as const) {
  const flags = backend === "native" ? ["--native-ssh"] : [];
  describe(`with, ${backend}`, { skip: whyNot("sshd") ?? false }, () => {
    let scene: Scene;
    before(async () => (scene = await Scene.open()));
    after(async () => await scene[Symbol.asyncDispose]());

    it("gives a docker client the machine's engine, and its own words", async () => {
      const { code, stdout, stderr } = await scene.shell.run([
        ...flags,
        "with",
        "web",
        "docker",
        "version",
        "--format",
        "{{.Server.Version}}",
      ]);
      assert.deepEqual([code, stdout], [0, "25.0.1\n"], stderr);
    });

    it("finds an engine that can be waited for", async () => {
      const { code, stderr } = await scene.shell.run([...flags, "wait", "web", "--within", "10s"]);
      assert.deepEqual([code, stderr], [0, ""]);
    });

    it("is the active machine where clients go to it over SSH, by its address, by its name or by a context", async () => {
      const url = await scene.shell.ok("url web");
      const { folder } = scene.shell;
      const config = path.join(folder, "docker");
      await scene.shell.ok("context create web", { env: { DOCKER_CONFIG: config } });
      for (const env of [
        { DOCKER_HOST: url.trim() },
        { DOCKER_HOST: "ssh://web.docker-machine" },
        { DOCKER_CONFIG: config, DOCKER_CONTEXT: "web" },
      ]) {
        assert.equal(await scene.shell.ok("active", { env }), "web\n");
        assert.match(await scene.shell.ok("ls", { env }), /^web +\* +generic/mu);
      }
      const beside = { DOCKER_CONFIG: config, DOCKER_CONTEXT: "default" };
      assert.equal((await scene.shell.run(["active"], { env: beside })).code, 1);
      const before = { DOCKER_CONFIG: config, DOCKER_CONTEXT: "web", MACHINE_COMPAT: "0.16" };
      assert.equal((await scene.shell.run(["active"], { env: before })).code, 1);
    });

    it("carries a hundred connections at once over one", async () => {
      const child = scene.start(manyAtOnce.replace("COUNT", "100"), { before: flags });
      assert.equal(await firstLine(child), "100");
      await endOf(child);
    });

    it("opens one SSH connection, and a socket that nobody else can enter", async () => {
      const child = scene.start(forever, { before: flags });
      const socket = (await firstLine(child)).replace("unix://", "");
      assert.equal(connectionsTo(scene.server.port), 1);
      const other = spawnSync("setpriv", ["--reuid=65534", "--regid=65534", "--clear-groups", "test", "-e", socket]);
      assert.equal(other.status, 1, "another user sees it");
      child.kill("SIGTERM");
      assert.equal((await endOf(child)).status, 143);
      assert.equal(existsSync(path.dirname(socket)), false);
      assert.equal(connectionsTo(scene.server.port), 0);
    });

    it("leaves no socket and no connection when it is killed", async () => {
      const child = scene.start(`console.log(process.env.DOCKER_HOST, process.pid); setInterval(() => {}, 1000);`, {
        before: flags,
      });
      const [socket = "", pid] = (await firstLine(child)).replace("unix://", "").split(" ");
      const ended = endOf(child);
      child.kill("SIGKILL");
      // The program that it ran holds its pipes.
      child.stdout.destroy();
      child.stderr.destroy();
      await ended;
      await until(() => !existsSync(path.dirname(socket)) && connectionsTo(scene.server.port) === 0);
      // Nobody else ends it.
      process.kill(Number(pid));
    });

    it("ends with an error, and does not hang, when SSH is cut", async () => {
      await using cut = await Scene.open();
      const script = `${manyAtOnce.replace("COUNT", "1")}
        request({ socketPath, path: "/never" }, () => {}).on("error", () => process.exit(9)).end();`;
      const child = cut.start(script, { before: flags });
      await firstLine(child);
      const ended = endOf(child);
      await cut.server.stop();
      const { status, stderr } = await ended;
      assert.equal(status, 9);
      assert.match(stderr, /The engine of "web"/u);
    });
  });
}

async function until(isSo: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!isSo()) {
    assert.ok(Date.now() < deadline, "it is not so after 10 s");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe("with", { skip: whyNot("sshd") ?? false }, () => {
  let scene: Scene;
  before(async () => (scene = await Scene.open()));
  after(async () => await scene[Symbol.asyncDispose]());

  it("passes the program's status on, also where 0.16.2's codes are wanted, and its streams", async () => {
    const words = ["with", "web", "--", "sh", "-c", "cat; exit 7"];
    for (const env of [{}, { MACHINE_COMPAT: "0.16" }]) {
      const { code, stdout } = await scene.shell.run(words, { env, stdin: "\0bytes" });
      assert.deepEqual([code, stdout], [7, "\0bytes"]);
    }
    assert.equal((await scene.shell.run(["with", "web", "sh", "-c", "kill -9 $$"])).code, 137);
    assert.equal((await scene.shell.run(["with", "web", "nosuch-program"])).code, 1);
  });

  it("hands everything behind the name on, flags and all", async () => {
    const { stdout } = await scene.shell.run(["with", "web", "echo", "--ssh", "-D", "--", "x"]);
    assert.equal(stdout, "--ssh -D -- x\n");
    assert.equal((await scene.shell.run(["with", "--", "true"])).code, 2, "there is no machine called default");
  });

  it("passes signals on, each once", async () => {
    const script = `let seen = []; for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => { seen.push(name); console.error(name);
      if (name === "SIGHUP") { console.error("seen " + seen.join(" ")); process.exit(5); } }); ${forever}`;
    const child = scene.start(script);
    await firstLine(child);
    const stderrOf = { text: "" };
    child.stderr.on("data", (chunk: Buffer) => (stderrOf.text += chunk.toString()));
    const ended = endOf(child);
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      child.kill(name);
      if (name !== "SIGHUP") await until(() => stderrOf.text.includes(name));
    }
    const { status, stderr } = await ended;
    assert.equal(status, 5, stderr);
    assert.match(stderr, /seen SIGINT SIGTERM SIGHUP/u);
  });

  it("lets nothing lead the client elsewhere, and changes no environment but the program's", async () => {
    const env = {
      DOCKER_CONTEXT: "other",
      DOCKER_TLS_VERIFY: "1",
      DOCKER_CERT_PATH: "/x",
      DOCKER_HOST: "tcp://192.0.2.1:1",
      KEPT: "yes",
    };
    const { stdout } = await scene.shell.run(["with", "web", "env"], { env });
    assert.match(stdout, /^DOCKER_HOST=unix:\/\/\/\S+$/mu);
    assert.doesNotMatch(stdout, /^DOCKER_(?:CONTEXT|TLS_VERIFY|CERT_PATH)=/mu);
    assert.match(stdout, /^KEPT=yes$/mu);
    assert.match(stdout, /^DOCKER_MACHINE_NAME=web$/mu);
  });

  it("starts the user's shell where no program is named", async () => {
    const { code, stdout } = await scene.shell.run(["with", "web"], { stdin: "echo is $DOCKER_MACHINE_NAME; exit 3\n" });
    assert.deepEqual([code, stdout], [3, "is web\n"]);
  });

  it("sets the variables of a machine with TLS, and takes SSH where that is asked for", async () => {
    await scene.shell.ok("create -d none --url tcp://127.0.0.1:1 seed");
    await using engine = await engineFor(scene.shell);
    const enginePort = Number(new URL(engine.url.replace("tcp:", "http:")).port);
    await addSshMachine(scene.shell, scene.server, { name: "tls", enginePort });
    const plain = await scene.shell.run(["with", "tls", "env"]);
    assert.match(plain.stdout, new RegExp(`^DOCKER_HOST=${engine.url}$`, "mu"), plain.stderr);
    assert.match(plain.stdout, /^DOCKER_TLS_VERIFY=1$/mu);
    assert.match(plain.stdout, /^DOCKER_CERT_PATH=\S+\/machines\/tls$/mu);
    assert.match((await scene.shell.run(["with", "--ssh", "tls", "env"])).stdout, /^DOCKER_HOST=unix:/mu);
  });

  it("goes through another host where the machine's entry of ssh_config does", async () => {
    const { shell, server } = scene;
    const [hostKey] = server.hostKeys;
    assert.ok(hostKey !== undefined);
    const at = (name: string): string => path.join(shell.folder, name);
    writeFileSync(at("jump_hosts"), `jump ${formatPublicKey(hostKey)}\n`);
    const address = `HostName 127.0.0.1\n Port ${server.port}\n User ${server.userName}\n IdentityFile ${server.identityFile}\n`;
    writeFileSync(
      at("ssh_config"),
      `Host jump\n ${address} HostKeyAlias jump\n UserKnownHostsFile ${at("jump_hosts")}\nHost box\n ${address} ProxyJump jump\n`,
    );
    // OpenSSH takes the home of the user database for its own, whatever HOME says.
    writeFileSync(at("bin/ssh"), `#!/bin/sh\nexec /usr/bin/ssh -F ${at("ssh_config")} "$@"\n`, { mode: 0o755 });
    await addSshMachine(shell, server, { name: "behind", extra: { EngineTransport: "ssh" } });
    const record = JSON.parse(await shell.recordText("behind")) as { Driver: object };
    Object.assign(record.Driver, { SSHConfigHost: "box" });
    await shell.addRecord("behind", JSON.stringify(record));
    try {
      const version = "with behind docker version --format {{.Server.Version}}";
      assert.equal(await shell.ok(version), "25.0.1\n");
      writeFileSync(at("jump_hosts"), "");
      assert.match((await shell.run(version.split(" "))).stderr, /127\.0\.0\.1/u);
    } finally {
      rmSync(at("bin/ssh"));
    }
  });

  it("is the way that url, env, config and version speak of", async () => {
    const { hostName, port, userName } = scene.server;
    assert.equal(await scene.shell.ok("url web"), `ssh://${userName}@${hostName}:${port}\n`);
    assert.match(await scene.shell.ok("env web"), /^export DOCKER_HOST="ssh:\/\/web\.docker-machine"$/mu);
    assert.equal(await scene.shell.ok("version web"), "25.0.1\n");
    assert.match(await scene.shell.ok("ls --filter name=^web$"), /Running +ssh:\S+ +v25\.0\.1/u);
    const config = await scene.shell.run(["config", "web"]);
    assert.equal(config.code, 1);
    assert.match(config.stderr, /docker-machine with web -- docker ps/u);
    assert.equal((await scene.shell.run(["regenerate-certs", "-f", "web"])).code, 1);
  });
});

/** Each takes another way to the engine's socket than a forwarding. */
const otherWays: Readonly<Record<string, { readonly server: "sshd" | "dropbear"; readonly config?: readonly string[] }>> = {
  "AllowStreamLocalForwarding no": { server: "sshd", config: ["AllowStreamLocalForwarding no"] },
  "MaxSessions 10 and no forwarding": { server: "sshd", config: ["AllowStreamLocalForwarding no", "MaxSessions 10"] },
  dropbear: { server: "dropbear" },
};

for (const [what, { server, config = [] }] of Object.entries(otherWays)) {
  for (const flags of [[], ["--native-ssh"]]) {
    describe(`with, where the server forwards no sockets: ${what} ${flags.join(" ")}`, { skip: whyNot(server) ?? false }, () => {
      let scene: Scene;
      before(async () => (scene = await Scene.open(server, { config })));
      after(async () => await scene[Symbol.asyncDispose]());

      it("reaches the engine by commands on the machine, few at once, and none is lost", async () => {
        // dropbear loses commands that begin while others end, which is seen in real use, too, where there are many.
        const count = server === "dropbear" ? "1" : "40";
        const child = scene.start(manyAtOnce.replace("COUNT", count), { before: flags });
        assert.equal(await firstLine(child), count);
        assert.equal((await endOf(child)).status, 0);
      });

      it("passes the end of one side on, and what is on its way back", async () => {
        const child = scene.start(forever, { before: flags });
        const socketPath = (await firstLine(child)).replace("unix://", "");
        const asked = request({ socketPath, path: "/attach", headers: { Connection: "Upgrade", Upgrade: "tcp" } }).end();
        const [, socket] = (await once(asked, "upgrade")) as [unknown, Socket];
        let text = "";
        socket.on("data", (chunk: Buffer) => (text += chunk.toString()));
        socket.end("abc");
        await once(socket, "close");
        assert.equal(text, "ABCEND");
        child.kill("SIGTERM");
        await endOf(child);
      });
    });
  }
}

describe("with, at a machine that cannot be reached", { skip: whyNot("sshd") ?? false }, () => {
  it("says that there is no engine", async () => {
    await using scene = await Scene.open();
    await using ssh = await openSshExecutor("openssh", targetOn(scene.server), sshTestContext());
    await ssh.run("rm -f /var/run/docker.sock");
    const { code, stderr } = await scene.shell.run(["with", "web", "true"]);
    assert.equal(code, 1);
    assert.match(stderr, /There is no \/var\/run\/docker\.sock on "web"/u);
  });
});
