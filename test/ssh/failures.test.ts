import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { isMachineError, type MachineError } from "../../src/errors/machine-error.ts";
import { openSshExecutor } from "../../src/ssh/connect.ts";
import type { SshBackend, SshExecutor, SshTarget } from "../../src/ssh/executor.ts";
import { loadPinnedKeys, pinHostKeys } from "../../src/ssh/host-keys.ts";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { fingerprintOf, formatPublicKey, parsePublicKey, type PublicKey } from "../../src/ssh/public-key.ts";
import { startBlackHole, startFakeSsh, startTcpServer, type FakeSshServer } from "./misbehaving-servers.ts";
import { freePort } from "../support/free-ports.ts";
import { targetOn, sshTestContext } from "./ssh-test-context.ts";

const noClient = spawnSync("ssh", ["-V"]).error === undefined ? false : "the OpenSSH client is not installed";
const notLinux = process.platform === "linux" ? false : "needs Linux";

/** For what ends by itself: never reached. For what does not: long enough for ssh to start on a busy computer. */
const generousMs = 30_000;
const shortMs = 3_000;
/** Far over the time in which a bounded call must be back, far under what a hang would take. */
const slackMs = 10_000;

describe("servers that misbehave", { concurrency: 2 }, () => {
  describeFailures("openssh", noClient);
  describeFailures("native", false);
});

test("where OpenSSH shares no connection, connecting is a login all the same", { skip: noClient }, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "unshared-"));
  try {
    const identityFile = path.join(folder, "id");
    await writeFile(identityFile, generateKeyPair("x").privateKey, { mode: 0o600 });
    await using server = await startFakeSsh({ login: "refuse" });
    const target = targetOn({ hostName: "127.0.0.1", port: server.port, userName: "root", identityFile, folder });
    const context = sshTestContext({ TEMP: folder });
    const onWindows = { ...context, computer: { ...context.computer, os: "windows" } } as const;
    await using ssh = await openSshExecutor("openssh", target, onWindows);
    await assert.rejects(ssh.connect(), (error) => isMachineError(error, "ssh-authentication"));
  } finally {
    await rm(folder, { recursive: true });
  }
});

function describeFailures(backend: SshBackend, skip: string | false): void {
  describe(`against the ${backend} executor`, { skip, concurrency: 6 }, () => {
    let folder = "";
    let identityFile = "";
    before(async () => {
      folder = await mkdtemp(path.join(tmpdir(), "failures-"));
      identityFile = path.join(folder, "id");
      await writeFile(identityFile, generateKeyPair("x").privateKey, { mode: 0o600 });
    });
    after(async () => {
      await rm(folder, { recursive: true });
    });

    let servers = 0;
    const targetAt = (port: number, changes: Partial<SshTarget> = {}): SshTarget => {
      servers += 1;
      const base = { hostName: "127.0.0.1", port, userName: "root", identityFile, folder };
      return { ...targetOn(base, { hostKeys: { alias: `m${servers}` } }), connectTimeoutMs: generousMs, ...changes };
    };
    /** Runs something that must fail, and fail in time. */
    const failing = async (target: SshTarget, work: (ssh: SshExecutor) => Promise<unknown>): Promise<MachineError> => {
      await using ssh = await openSshExecutor(backend, target, sshTestContext({ TMPDIR: folder }));
      const started = performance.now();
      const error: unknown = await work(ssh).then(
        () => assert.fail("it succeeded"),
        (thrown: unknown) => thrown,
      );
      const tookMs = performance.now() - started;
      assert.ok(tookMs < target.connectTimeoutMs + slackMs, `it took ${tookMs} ms`);
      assert.ok(isMachineError(error), String(error));
      assert.ok(error.hint !== undefined || error.code === "timeout", error.message);
      return error;
    };
    const connecting = (target: SshTarget): Promise<MachineError> => failing(target, (ssh) => ssh.connect());
    const unreachable = async (error: MachineError | Promise<MachineError>, sentence: RegExp): Promise<void> => {
      const { code, message } = await error;
      assert.equal(code, "ssh-unreachable", message);
      assert.match(message, sentence);
    };
    const pinnedTo = async (
      server: FakeSshServer,
      changes: Partial<SshTarget> = {},
      key = server.hostKey,
    ): Promise<SshTarget> => {
      const target = targetAt(server.port, { ...changes });
      await pinHostKeys(target.hostKeys, [key]);
      return target;
    };

    test("a closed port", async () => {
      await unreachable(
        connecting(targetAt(await freePort())),
        /^Nothing listens for SSH at 127\.0\.0\.1:\d+: the connection was refused$/u,
      );
    });

    test("a name that cannot be resolved", async () => {
      await unreachable(
        connecting(targetAt(22, { hostName: "no..such.host" })),
        /^The host name of no\.\.such\.host:22 cannot be resolved$/u,
      );
    });

    test("packets that vanish", { skip: notLinux }, async () => {
      await using server = await startBlackHole();
      await unreachable(
        connecting(targetAt(server.port, { connectTimeoutMs: shortMs })),
        /^No answer from 127\.0\.0\.1:\d+ within 3 s$/u,
      );
    });

    const tcpCases: readonly (readonly [string, number, (socket: Socket) => void, RegExp])[] = [
      ["a server that says nothing", shortMs, () => {}, /takes connections, but sent no SSH greeting within 3 s$/u],
      ["a greeting that comes letter by letter", shortMs, trickle, /takes connections, but sent no SSH greeting within 3 s$/u],
      ["silence after the greeting", shortMs, greet, /^The SSH login at .* did not complete within 3 s$/u],
      ["a flood before the greeting", shortMs, flood, /does not speak SSH|sent no SSH greeting|closed the connection/u],
      ["a web server", generousMs, refuseHttp, /does not speak SSH/u],
      [
        "sshd's penalty",
        generousMs,
        (socket) => void socket.end("Not allowed at this time\r\n"),
        /takes no connection from here for the moment$/u,
      ],
      [
        "sshd's limit of connections",
        generousMs,
        (socket) => void socket.end("Exceeded MaxStartups\r\n"),
        /takes no connection from here for the moment$/u,
      ],
      ["a server that hangs up", generousMs, (socket) => void socket.end(), /closed the connection before the login/u],
      ["a reset", generousMs, (socket) => void setImmediate(() => socket.resetAndDestroy()), /closed the connection before/u],
    ];
    for (const [name, connectTimeoutMs, treat, sentence] of tcpCases) {
      test(name, async () => {
        await using server = await startTcpServer(treat);
        await unreachable(connecting(targetAt(server.port, { connectTimeoutMs })), sentence);
      });
    }

    test("a login that is never answered", async () => {
      await using server = await startFakeSsh({ login: "ignore" });
      await unreachable(connecting(await pinnedTo(server, { connectTimeoutMs: shortMs })), /did not complete within 3 s/u);
    });

    test("a login that is refused names the user and the key", async () => {
      await using server = await startFakeSsh({ login: "refuse" });
      const { code, message } = await connecting(await pinnedTo(server));
      assert.equal(code, "ssh-authentication");
      assert.match(message, /^User "root" was refused by 127\.0\.0\.1:\d+: tried .*id \(SHA256:/u);
    });

    test("a server that takes passwords only", async () => {
      await using server = await startFakeSsh({ login: "password-only" });
      const { code, hint } = await connecting(await pinnedTo(server));
      assert.equal(code, "ssh-authentication");
      assert.match(hint ?? "", /takes no keys, only: password/u);
    });

    test("a man in the middle gets neither a login nor a secret", async () => {
      await using server = await startFakeSsh();
      const pinned = parsePublicKey(generateKeyPair("real").publicKey) as PublicKey;
      const error = await failing(await pinnedTo(server, {}, pinned), (ssh) => ssh.run("cat", { stdin: "canary" }));
      assert.equal(error.code, "host-key-mismatch");
      assert.ok(
        error.message.includes(fingerprintOf(pinned)) && error.message.includes(fingerprintOf(server.hostKey)),
        error.message,
      );
      assert.deepEqual([server.logins, server.commands, server.received()], [[], [], ""]);
    });

    test("a man in the middle of first contact, where a fingerprint is expected, gets no key and no secret", async () => {
      await using server = await startFakeSsh();
      const expectedFingerprint = fingerprintOf(parsePublicKey(generateKeyPair("real").publicKey) as PublicKey);
      const target = targetAt(server.port);
      const expecting = { ...target, hostKeys: { ...target.hostKeys, expectedFingerprint } };
      const error = await failing(expecting, (ssh) => ssh.run("cat", { stdin: "canary" }));
      assert.equal(error.code, "host-key-mismatch");
      assert.ok(
        error.message.includes(expectedFingerprint) && error.message.includes(fingerprintOf(server.hostKey)),
        error.message,
      );
      assert.deepEqual([server.logins.filter((method) => method !== "none"), server.commands, server.received()], [[], [], ""]);
    });

    test("a host of which nothing is known is met and logged in to by one connection, and its key pinned", async () => {
      await using server = await startFakeSsh();
      const target = targetAt(server.port);
      const context = sshTestContext({ TMPDIR: folder });
      await using ssh = await openSshExecutor(backend, target, context);
      await ssh.connect();
      assert.deepEqual((await loadPinnedKeys(target.hostKeys)).map(fingerprintOf), [fingerprintOf(server.hostKey)]);
      assert.equal((await stat(target.hostKeys.knownHostsFile)).mode & 0o777, 0o600);
      const said = context.events.filter(({ type }) => type === "host-key-pinned");
      assert.deepEqual(said, [
        { type: "host-key-pinned", host: target.hostKeys.alias, fingerprint: fingerprintOf(server.hostKey), trust: "first-use" },
      ]);
      assert.equal((await ssh.run("cat", { stdin: "hello" })).stdout.toString(), "hello");
      assert.equal(server.connections(), 1);
    });

    test("a host that the user knows is met and logged in to by one connection, whichever of its keys is known", async () => {
      await using server = await startFakeSsh();
      const file = path.join(folder, `known-${backend}`);
      const another = parsePublicKey(generateKeyPair("another").publicKey) as PublicKey;
      const lines = [another, server.hostKey].map((key) => `[127.0.0.1]:${server.port} ${formatPublicKey(key)}\n`);
      await writeFile(file, lines.join(""));
      const target = targetAt(server.port);
      const knowing: SshTarget = { ...target, hostKeys: { ...target.hostKeys, userKnownHostsFiles: [file], unknown: "refuse" } };
      const context = sshTestContext({ TMPDIR: folder });
      await using ssh = await openSshExecutor(backend, knowing, context);
      assert.equal((await ssh.run("cat", { stdin: "hello" })).stdout.toString(), "hello");
      assert.equal(server.connections(), 1);
      assert.deepEqual((await loadPinnedKeys(target.hostKeys)).map(fingerprintOf), [fingerprintOf(server.hostKey)]);
      const said = context.events.flatMap((event) => (event.type === "host-key-pinned" ? [event.trust] : []));
      assert.deepEqual(said, ["known-hosts"]);
    });

    test("a host that the user knows on another port by another key is trusted on first use", async () => {
      await using server = await startFakeSsh();
      const file = path.join(folder, `elsewhere-${backend}`);
      const known = parsePublicKey(generateKeyPair("known").publicKey) as PublicKey;
      await writeFile(file, `127.0.0.1 ${formatPublicKey(known)}\n`);
      const target = targetAt(server.port);
      const knowing = { ...target, hostKeys: { ...target.hostKeys, userKnownHostsFiles: [file] } };
      await using ssh = await openSshExecutor(backend, knowing, sshTestContext({ TMPDIR: folder }));
      assert.equal((await ssh.run("cat", { stdin: "hello" })).stdout.toString(), "hello");
      assert.deepEqual((await loadPinnedKeys(target.hostKeys)).map(fingerprintOf), [fingerprintOf(server.hostKey)]);
    });

    test("a login that is refused at first contact is told as such, and the key is pinned", async () => {
      await using server = await startFakeSsh({ login: "refuse" });
      const target = targetAt(server.port);
      const { code } = await connecting(target);
      assert.equal(code, "ssh-authentication");
      assert.deepEqual((await loadPinnedKeys(target.hostKeys)).map(fingerprintOf), [fingerprintOf(server.hostKey)]);
    });

    test("a man in the middle of first contact with a host that the user knows gets no key and no secret", async () => {
      await using server = await startFakeSsh();
      const known = parsePublicKey(generateKeyPair("real").publicKey) as PublicKey;
      const file = path.join(folder, `user-${backend}`);
      await writeFile(file, `[127.0.0.1]:${server.port} ${formatPublicKey(known)}\n`);
      const target = targetAt(server.port);
      const knowing = { ...target, hostKeys: { ...target.hostKeys, userKnownHostsFiles: [file] } };
      const error = await failing(knowing, (ssh) => ssh.run("cat", { stdin: "canary" }));
      assert.equal(error.code, "host-key-mismatch");
      assert.deepEqual(await loadPinnedKeys(target.hostKeys), []);
      assert.deepEqual([server.logins.filter((method) => method !== "none"), server.commands, server.received()], [[], [], ""]);
    });

    test("a key that changes between two connections", async () => {
      const target = await (async () => {
        await using first = await startFakeSsh();
        const known = await pinnedTo(first);
        await using ssh = await openSshExecutor(backend, known, sshTestContext({ TMPDIR: folder }));
        assert.equal((await ssh.run("cat", { stdin: "hello" })).stdout.toString(), "hello");
        return known;
      })();
      await using second = await startFakeSsh();
      const error = await failing({ ...target, port: second.port }, (ssh) => ssh.run("cat", { stdin: "canary" }));
      assert.equal(error.code, "host-key-mismatch");
      assert.deepEqual([second.logins, second.received()], [[], ""]);
    });

    test("a connection closed in the middle of a command", async () => {
      await using server = await startFakeSsh({ command: (channel, client) => void channel.write("half", () => client.end()) });
      const { code, message } = await failing(await pinnedTo(server), (ssh) => ssh.run("cat"));
      assert.equal(code, "ssh-closed", message);
    });

    test("a session that is never opened ends with the command's time", async () => {
      await using server = await startFakeSsh({ ignoreSessions: true });
      const { code, message } = await failing(await pinnedTo(server), (ssh) => ssh.run("cat", { timeoutMs: shortMs }));
      assert.equal(code, "timeout");
      assert.match(message, /did not end within 3 s/u);
    });

    test("a command that ends without a status is an error", async () => {
      await using server = await startFakeSsh({ command: (channel) => void channel.end("out") });
      const { code, message } = await failing(await pinnedTo(server), (ssh) => ssh.run("cat"));
      assert.equal(code, "ssh-closed");
      assert.match(message, /^127\.0\.0\.1:\d+ ended a command without telling its exit status$/u);
    });
  });
}

function greet(socket: Socket): void {
  socket.write("SSH-2.0-Slow\r\n");
}

function refuseHttp(socket: Socket): void {
  socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
}

function trickle(socket: Socket): void {
  const timer = setInterval(() => socket.write("S"), 20);
  socket.once("close", () => clearInterval(timer));
}

function flood(socket: Socket): void {
  const line = `${"x".repeat(200)}\r\n`.repeat(50);
  const timer = setInterval(() => socket.write(line), 1);
  socket.once("close", () => clearInterval(timer));
}
