/** What every executor promises, checked on a real server. Both back ends run through this, and so must a third. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { isMachineError, type MachineError } from "../../src/errors/machine-error.ts";
import { openSshExecutor } from "../../src/ssh/connect.ts";
import type { SshBackend, SshExecutor, SshTarget } from "../../src/ssh/executor.ts";
import { loadPinnedKeys, pinHostKeys } from "../../src/ssh/host-keys.ts";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { fingerprintOf, parsePublicKey, type PublicKey } from "../../src/ssh/public-key.ts";
import type { TestServer } from "./real-servers.ts";
import { targetOn, sshTestContext, type SshTestContext } from "./ssh-test-context.ts";

export interface ContractCase {
  readonly name: string;
  readonly backend: SshBackend;
  readonly start: () => Promise<TestServer>;
  /** Why this cannot run here. */
  readonly skip: string | undefined;
}

export function describeExecutorContract({ name, backend, start, skip }: ContractCase): void {
  describe(`${backend} executor on ${name}`, { skip: skip ?? false, concurrency: 1 }, () => {
    let server: TestServer;
    let context: SshTestContext;
    let ssh: SshExecutor;
    before(async () => {
      server = await start();
      context = sshTestContext({ TMPDIR: server.folder });
      ssh = await openSshExecutor(backend, targetOn(server), context);
      await ssh.connect();
    });
    after(async () => {
      await ssh?.close();
      await server?.stop();
    });
    const withExecutor = async <T>(target: SshTarget, work: (executor: SshExecutor) => Promise<T>): Promise<T> => {
      await using executor = await openSshExecutor(backend, target, context);
      return await work(executor);
    };

    test("first contact pinned the server's key and said so", async () => {
      const [pinned] = await loadPinnedKeys(targetOn(server).hostKeys);
      assert.ok(server.hostKeys.some((key) => pinned?.blob.equals(key.blob)));
      const said = context.events.filter((event) => event.type === "host-key-pinned");
      assert.deepEqual(
        said.map(({ fingerprint, trust }) => [fingerprint, trust]),
        [[fingerprintOf(pinned as PublicKey), "first-use"]],
      );
    });

    test("a command's outputs and status come back apart", async () => {
      const { status, stdout, stderr } = await ssh.run("echo out; echo err >&2; exit 3");
      assert.deepEqual([status, stdout.toString(), stderr.toString()], [3, "out\n", "err\n"]);
    });

    test("a status is the command's own, 255 as well", async () => {
      for (const status of [0, 1, 126, 255]) assert.equal((await ssh.run(`exit ${status}`)).status, status);
      assert.equal((await ssh.run("no-such-command-at-all")).status, 127);
    });

    test("a command that a signal ends has a status of failure", async () => {
      assert.equal((await ssh.run("kill -9 $$")).status, backend === "native" ? 137 : 255);
    });

    test("streams are binary-clean and of any length", async () => {
      const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), randomBytes(3_000_000)]);
      const { stdout } = await ssh.run("cat", { stdin: bytes });
      assert.ok(stdout.equals(bytes));
      const { stderr } = await ssh.run("cat >&2", { stdin: bytes.subarray(0, 300_000) });
      assert.ok(stderr.equals(bytes.subarray(0, 300_000)));
    });

    test("without input a command sees its end at once", async () => {
      assert.equal((await ssh.run("cat; echo done")).stdout.toString(), "done\n");
    });

    test("a command that does not read its input ends all the same", async () => {
      assert.equal((await ssh.run("exit 4", { stdin: randomBytes(5_000_000) })).status, 4);
    });

    test("output is shown while it comes", async () => {
      const seen = { out: "", err: "" };
      const { stdout } = await ssh.run("echo a; echo b >&2; echo c", {
        onStdout: (chunk) => void (seen.out += chunk),
        onStderr: (chunk) => void (seen.err += chunk),
      });
      assert.deepEqual([seen.out, seen.err, stdout.toString()], ["a\nc\n", "b\n", "a\nc\n"]);
    });

    test("a command line of several lines and quotes is taken as it is", async () => {
      assert.equal((await ssh.run("printf '%s|' \"a  b\" 'c\"d'\nprintf '%s' \"$((1+1))\"")).stdout.toString(), 'a  b|c"d|2');
    });

    test("a command over its time is an error that names the time; the connection stays", async () => {
      const started = performance.now();
      await assert.rejects(ssh.run("sleep 60", { timeoutMs: 200 }), (error: MachineError) => {
        assert.match(error.message, /did not end within 200 ms/u);
        return error.code === "timeout";
      });
      assert.ok(performance.now() - started < 5_000);
      assert.equal((await ssh.run("echo still")).stdout.toString(), "still\n");
    });

    test("output without end ends the command, with little of it kept; the connection stays", async () => {
      const before = process.memoryUsage.rss();
      for (const endless of ["yes", "yes >&2"]) {
        await assert.rejects(ssh.run(endless), (error: MachineError) => {
          assert.match(error.message, /^A command on 127\.0\.0\.1:\d+ printed more than 16 MiB and was ended$/u);
          return error.code === "remote-command";
        });
      }
      assert.ok(process.memoryUsage.rss() - before < 300 * 1024 * 1024);
      assert.equal((await ssh.run("echo still")).stdout.toString(), "still\n");
    });

    test("an abort gives its reason", async () => {
      const reason = new Error("not any more");
      const controller = new AbortController();
      const running = ssh.run("echo started; sleep 60", { signal: controller.signal, onStdout: () => controller.abort(reason) });
      await assert.rejects(running, reason);
      await assert.rejects(ssh.run("true", { signal: AbortSignal.abort(reason) }), reason);
    });

    test("what goes to standard input stands in no argument list and no environment, here or there", async () => {
      const canary = `canary-${randomBytes(8).toString("hex")}`;
      const arrived = Promise.withResolvers<void>();
      const waitForFile = "until [ -e ~/scanned ]; do sleep 0.02; done";
      const running = ssh.run(`cat; ${waitForFile}`, { stdin: canary, onStdout: () => arrived.resolve(), timeoutMs: 20_000 });
      await Promise.race([arrived.promise, running]);
      const found = await scanProcesses(canary);
      await writeFile(path.join(server.home, "scanned"), "");
      assert.equal((await running).stdout.toString(), canary);
      assert.deepEqual(found, []);
      assert.ok(!JSON.stringify(context.events).includes(canary));
    });

    test("round trips are counted", async () => {
      const before = ssh.roundTrips;
      await ssh.run("true");
      await ssh.run("true");
      assert.equal(ssh.roundTrips - before, 2);
    });

    test("a connection that breaks is told apart from a status, and the next command gets a new one", async () => {
      await assert.rejects(ssh.run("kill -9 $PPID; sleep 60"), (error: MachineError) => {
        assert.match(error.message, /broke while a command was running/u);
        return error.code === "ssh-closed";
      });
      assert.equal((await ssh.run("echo again")).stdout.toString(), "again\n");
    });

    test("another pinned key stops everything, both fingerprints named", async () => {
      const wrong = parsePublicKey(generateKeyPair("x").publicKey) as PublicKey;
      const target = targetOn(server, { hostKeys: { alias: "swapped" } });
      await pinHostKeys(target.hostKeys, [wrong]);
      await withExecutor(target, async (executor) => {
        await assert.rejects(executor.run("cat", { stdin: "canary" }), (error: MachineError) => {
          assert.ok(error.message.includes(fingerprintOf(wrong)), error.message);
          assert.ok(
            server.hostKeys.some((key) => error.message.includes(fingerprintOf(key))),
            error.message,
          );
          assert.match(error.hint ?? "", /docker-machine ssh-host-key swapped --accept SHA256:/u);
          return error.code === "host-key-mismatch";
        });
      });
    });

    test("whichever of the server's keys is pinned is the one it must show", async () => {
      for (const key of server.hostKeys) {
        const target = targetOn(server, { hostKeys: { alias: `one-${key.type}` } });
        await pinHostKeys(target.hostKeys, [key]);
        assert.equal(await withExecutor(target, async (executor) => (await executor.run("exit 5")).status), 5);
      }
    });

    test("an expected fingerprint is found among the server's keys", async () => {
      const wanted = server.hostKeys.at(-1) as PublicKey;
      const target = targetOn(server, { hostKeys: { alias: "expected", expectedFingerprint: fingerprintOf(wanted) } });
      await withExecutor(target, (executor) => executor.connect());
      assert.ok((await loadPinnedKeys(target.hostKeys))[0]?.blob.equals(wanted.blob));
    });

    test("a key that the server does not accept is named, with the user", async () => {
      const identityFile = path.join(server.folder, "stranger");
      const pair = generateKeyPair("stranger");
      await writeFile(identityFile, pair.privateKey, { mode: 0o600 });
      await withExecutor(targetOn(server, { identityFile }), async (executor) => {
        await assert.rejects(executor.connect(), (error: MachineError) => {
          assert.match(error.message, /^User "\w+" was refused by 127\.0\.0\.1:\d+: tried /u);
          assert.ok(
            error.message.includes(`${identityFile} (${fingerprintOf(parsePublicKey(pair.publicKey) as PublicKey)})`),
            error.message,
          );
          return error.code === "ssh-authentication";
        });
      });
    });

    test("a key file that others can read is refused before anything is tried", async () => {
      const identityFile = path.join(server.folder, "open");
      await writeFile(identityFile, await readFile(server.identityFile), { mode: 0o644 });
      await withExecutor(targetOn(server, { identityFile }), async (executor) => {
        await assert.rejects(
          executor.connect(),
          (error) => isMachineError(error, "ssh-key-unusable") && /too open/u.test(error.message),
        );
      });
    });

    test("closing ends what runs, may be repeated, and leaves nothing behind", async () => {
      const executor = await openSshExecutor(backend, targetOn(server), context);
      const started = Promise.withResolvers<void>();
      const running = executor.run("echo started; sleep 60", { onStdout: () => started.resolve() });
      await started.promise;
      await Promise.all([executor.close(), assert.rejects(running, (error) => isMachineError(error, "ssh-closed"))]);
      await executor.close();
      await assert.rejects(executor.run("true"), (error) => isMachineError(error, "ssh-closed"));
      await ssh.close();
      assert.deepEqual(
        (await readdir(server.folder)).filter((name) => name.startsWith("dm-")),
        [],
      );
    });
  });
}

/** Processes with the text among their arguments or in their environment. */
async function scanProcesses(text: string): Promise<string[]> {
  const files = (await readdir("/proc"))
    .filter((name) => /^\d+$/u.test(name))
    .flatMap((pid) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]);
  const contents = await Promise.all(files.map(async (file) => [file, await readFile(file, "latin1").catch(() => "")] as const));
  assert.ok(
    contents.some(([, content]) => content.includes("sshd") || content.includes("dropbear")),
    "the scan saw no server",
  );
  return contents.filter(([, content]) => content.includes(text)).map(([file]) => file);
}
