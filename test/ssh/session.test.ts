import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { openSshExecutor } from "../../src/ssh/connect.ts";
import type { SshBackend, SshSessionOptions, SshTarget } from "../../src/ssh/executor.ts";
import { quoteCommand } from "../../src/ssh/shell-quote.ts";
import { freePort } from "../support/free-ports.ts";
import { startSshd, whyNot, type TestServer } from "./real-servers.ts";
import type { SessionRequest } from "./session-child.ts";
import { targetOn, sshTestContext } from "./ssh-test-context.ts";

const noServer = whyNot("sshd") ?? false;
const noTerminal = spawnSync("script", ["--version"]).error === undefined ? false : "script is not installed";
const childFile = fileURLToPath(new URL("session-child.ts", import.meta.url));

/** The command line of a process that holds a session. */
function sessionCommand(backend: SshBackend, target: SshTarget, options: SshSessionOptions): string[] {
  const request: SessionRequest = { backend, target, options };
  return [process.execPath, childFile, JSON.stringify(request)];
}

function start([program = "", ...args]: readonly string[], temporaryFolder: string): ChildProcess {
  return spawn(program, args, { stdio: "pipe", env: { ...process.env, TMPDIR: temporaryFolder } });
}

/** Resolves when nothing is left in a folder; fails after ten seconds. */
async function emptied(folder: string): Promise<void> {
  for (let left = 500; left > 0 && (await readdir(folder)).length > 0; left -= 1) await delay(20);
  assert.deepEqual(await readdir(folder), []);
}

async function outcome(child: ChildProcess, stdin?: Uint8Array): Promise<{ status: number; stdout: Buffer; stderr: string }> {
  const [stdout, stderr]: [Buffer[], Buffer[]] = [[], []];
  child.stdout?.on("data", (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => stderr.push(chunk));
  if (stdin !== undefined) child.stdin?.end(stdin);
  const [status] = (await once(child, "close")) as [number];
  return { status, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() };
}

describe("sessions on this process's own streams", { skip: noServer, concurrency: true }, () => {
  let server: TestServer;
  before(async () => {
    server = await startSshd({ config: ["MaxSessions 1"] });
  });
  after(async () => {
    await server.stop();
  });

  for (const backend of ["openssh", "native"] as const) {
    const session = (options: Partial<SshSessionOptions>): ChildProcess =>
      start(sessionCommand(backend, targetOn(server), { command: undefined, terminal: "auto", ...options }), server.folder);

    test(`${backend}: pipes are binary-clean both ways, and the status is the command's`, async () => {
      const bytes = randomBytes(1_000_000);
      const { status, stdout, stderr } = await outcome(session({ command: "cat; echo err >&2; exit 255" }), bytes);
      assert.deepEqual([status, stderr], [255, "err\n"]);
      assert.ok(stdout.equals(bytes));
    });

    test(`${backend}: a login shell reads its commands from a pipe`, async () => {
      const { status, stdout } = await outcome(session({}), Buffer.from("echo $((20+3)); exit 9\n"));
      assert.deepEqual([status, stdout.toString()], [9, "23\n"]);
    });

    test(`${backend}: a command that ends does not wait for input`, async () => {
      const child = session({ command: "exit 6" });
      const [status] = (await once(child, "exit")) as [number];
      assert.equal(status, 6);
      child.stdin?.destroy();
    });

    test(`${backend}: a reader that goes away ends the session`, async () => {
      const child = session({ command: "yes" });
      await once(child.stdout as NodeJS.EventEmitter, "data");
      child.stdout?.destroy();
      await once(child, "exit");
    });

    test(`${backend}: a server that allows one session at a time still serves several commands`, async () => {
      await using ssh = await openSshExecutor(backend, targetOn(server), sshTestContext({ TMPDIR: server.folder }));
      const results = await Promise.all([1, 2, 3, 4].map((status) => ssh.run(`sleep 0.02; exit ${status}`)));
      assert.deepEqual(
        results.map(({ status }) => status),
        [1, 2, 3, 4],
      );
      for (let status = 0; status < 20; status += 1) assert.equal((await ssh.run(`exit ${status}`)).status, status);
    });

    test(
      `${backend}: a terminal has the size of ours, follows it, and is given back as it was`,
      { skip: noTerminal },
      async () => {
        const flag = path.join(server.folder, `resize-${backend}`);
        const remote = "stty size; trap 'stty size; exit 3' WINCH; echo ready; while :; do sleep 0.05; done";
        const resize = `(until [ -e ${flag} ]; do sleep 0.05; done; stty rows 44 cols 99 </dev/tty) &`;
        const command = quoteCommand(sessionCommand(backend, targetOn(server), { command: remote, terminal: "yes" }));
        const script = `stty rows 33 cols 101; before=$(stty -g); ${resize} ${command}; echo status $?; [ "$before" = "$(stty -g)" ] && echo restored`;
        const child = spawn("script", ["-qec", script, "/dev/null"], { stdio: "pipe" });
        let text = "";
        child.stdout.on("data", (chunk: Buffer) => {
          text += chunk.toString();
          if (text.includes("ready") && !existsSync(flag)) void writeFile(flag, "");
        });
        await once(child, "close");
        const lines = text.split(/\r?\n/u).filter((line) => line !== "");
        assert.deepEqual(lines, ["33 101", "ready", "44 99", "status 3", "restored"]);
      },
    );

    test(`${backend}: without a terminal here, -t asks for none and -tt does`, async () => {
      const command = "tty >/dev/null && echo terminal || echo none";
      assert.equal((await outcome(session({ command, terminal: "yes" }), Buffer.of())).stdout.toString().trim(), "none");
      assert.equal((await outcome(session({ command, terminal: "force" }), Buffer.of())).stdout.toString().trim(), "terminal");
    });
  }

  test("flags of ssh are passed through: a forwarded port", async () => {
    const port = await freePort();
    const options: SshSessionOptions = {
      command: "echo up; cat",
      terminal: "no",
      sshFlags: ["-L", `${port}:127.0.0.1:${server.port}`],
    };
    const child = start(sessionCommand("openssh", targetOn(server), options), server.folder);
    await once(child.stdout as NodeJS.EventEmitter, "data");
    await using ssh = await openSshExecutor("native", targetOn({ ...server, port }), sshTestContext());
    assert.equal((await ssh.run("exit 8")).status, 8);
    await ssh.close();
    child.stdin?.end();
    assert.deepEqual(await once(child, "close"), [0, null]);
  });

  test("the native back end refuses flags that it cannot honour", async () => {
    await using ssh = await openSshExecutor("native", targetOn(server), sshTestContext());
    const refused = ssh.session({ command: "true", terminal: "no", sshFlags: ["-A"] });
    await assert.rejects(refused, (error) => isMachineError(error, "usage") && /-A/u.test(error.message));
  });

  test("a process that is killed leaves no connection, no socket and no folder", async () => {
    const folder = await mkdtemp(path.join(server.folder, "kill-"));
    const child = start(sessionCommand("openssh", targetOn(server), { command: "echo up; cat", terminal: "no" }), folder);
    await once(child.stdout as NodeJS.EventEmitter, "data");
    assert.equal((await readdir(folder)).length, 1);
    child.kill("SIGKILL");
    await emptied(folder);
    assert.equal(spawnSync("pgrep", ["-f", folder]).stdout.toString(), "");
  });
});
