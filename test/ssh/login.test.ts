import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { chooseSshBackend, openSshExecutor } from "../../src/ssh/connect.ts";
import type { SshBackend, SshTarget } from "../../src/ssh/executor.ts";
import { pinHostKeys } from "../../src/ssh/host-keys.ts";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { formatPublicKey, parsePublicKey, type PublicKey } from "../../src/ssh/public-key.ts";
import { startSshd, whyNot, type TestServer } from "./real-servers.ts";
import { targetOn, sshTestContext } from "./ssh-test-context.ts";

const skip = whyNot("sshd") ?? false;

function keygen(...args: string[]): void {
  const { status, stderr } = spawnSync("ssh-keygen", args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}

/** What becomes of key files on their way through variables and editors. */
const flaws: readonly (readonly [string, (text: string) => string])[] = [
  ["has no line break at its end", (text) => text.trimEnd()],
  ["has line breaks of Windows (CR LF)", (text) => text.replaceAll("\n", "\r\n")],
  ["begins with a byte order mark", (text) => `\uFEFF${text}`],
  ["stands on one line", (text) => text.replaceAll("\n", " ")],
  ["is indented", (text) => text.replaceAll(/^/gmu, "  ")],
];

describe("ways to log in", { skip, concurrency: true }, () => {
  let server: TestServer;
  let folder = "";
  let agent: ChildProcess;
  let agentSocket = "";
  before(async () => {
    server = await startSshd();
    folder = await mkdtemp(path.join(tmpdir(), "login-"));
    agentSocket = path.join(folder, "agent");
    agent = spawn("ssh-agent", ["-D", "-a", agentSocket], { stdio: ["ignore", "pipe", "inherit"] });
    await once(agent.stdout as NodeJS.EventEmitter, "data");
  });
  after(async () => {
    agent.kill();
    await once(agent, "exit");
    await rm(folder, { recursive: true });
    await server.stop();
  });

  /** A new key that the server accepts. */
  const acceptedKey = async (name: string, ...options: string[]): Promise<string> => {
    const file = path.join(folder, name);
    keygen("-q", "-f", file, ...options);
    await appendFile(path.join(server.home, ".ssh", "authorized_keys"), await readFile(`${file}.pub`));
    return file;
  };
  const status = async (
    backend: SshBackend,
    target: SshTarget,
    env: Record<string, string> = {},
    sshConfigFile?: string,
  ): Promise<number> => {
    await using ssh = await openSshExecutor(backend, target, {
      ...sshTestContext({ TMPDIR: server.folder, ...env }),
      sshConfigFile,
    });
    return (await ssh.run("exit 5")).status;
  };

  for (const backend of ["openssh", "native"] as const) {
    for (const [type, ...options] of [["rsa", "-b", "2048"], ["ecdsa"], ["ed25519"]] as const) {
      test(`${backend}: a key of type ${type}`, async () => {
        const identityFile = await acceptedKey(`${backend}-${type}`, "-t", type, ...options, "-N", "");
        assert.equal(await status(backend, targetOn(server, { identityFile, hostKeys: { alias: `${backend}-${type}` } })), 5);
      });
    }

    test(`${backend}: RSA in PEM, as 0.16.2 made it, and in PKCS#8`, async () => {
      for (const format of ["PEM", "PKCS8"]) {
        const identityFile = await acceptedKey(`${backend}-${format}`, "-t", "rsa", "-b", "2048", "-m", format, "-N", "");
        assert.equal(await status(backend, targetOn(server, { identityFile, hostKeys: { alias: `${backend}-${format}` } })), 5);
      }
    });

    test(`${backend}: no key given, the agent has one`, async () => {
      const key = await acceptedKey(`${backend}-agent`, "-t", "ed25519", "-N", "");
      assert.equal(spawnSync("ssh-add", ["-q", key], { env: { ...process.env, SSH_AUTH_SOCK: agentSocket } }).status, 0);
      const target = targetOn(server, { identityFile: undefined, hostKeys: { alias: `${backend}-agent` } });
      assert.equal(await status(backend, target, { SSH_AUTH_SOCK: agentSocket }), 5);
    });

    test(`${backend}: a key with a passphrase works through the agent and is explained without`, async () => {
      const identityFile = await acceptedKey(`${backend}-locked`, "-t", "ed25519", "-N", "secret");
      const target = targetOn(server, { identityFile, hostKeys: { alias: `${backend}-locked` } });
      const explained = (error: unknown): boolean =>
        isMachineError(error, "ssh-key-unusable") &&
        /needs a passphrase/u.test(error.message) &&
        /ssh-add /u.test(error.hint ?? "");
      await assert.rejects(status(backend, target), explained);
      await assert.rejects(status(backend, target, { SSH_AUTH_SOCK: path.join(folder, "no-agent") }), explained);
      const askpass = path.join(folder, `askpass-${backend}`);
      await writeFile(askpass, "#!/bin/sh\necho secret\n", { mode: 0o700 });
      const env = { ...process.env, SSH_AUTH_SOCK: agentSocket, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" };
      assert.equal(spawnSync("ssh-add", ["-q", identityFile], { env }).status, 0);
      assert.equal(await status(backend, target, { SSH_AUTH_SOCK: agentSocket }), 5);
    });

    test(`${backend}: an encrypted key in old PEM that the agent holds, with and without its public half`, async () => {
      const folderOfMachine = await mkdtemp(path.join(folder, `${backend}-pem-`));
      const identityFile = await acceptedKey(`${backend}-pem`, "-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "secret");
      const socket = path.join(folder, `${backend}-pem-agent`);
      const own = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "inherit"] });
      await once(own.stdout as NodeJS.EventEmitter, "data");
      try {
        const askpass = path.join(folder, `askpass-pem-${backend}`);
        await writeFile(askpass, "#!/bin/sh\necho secret\n", { mode: 0o700 });
        const env = { ...process.env, SSH_AUTH_SOCK: socket, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: "force" };
        for (const name of ["a", "b", "c", "d", "e", "f", "g"]) {
          keygen("-q", "-t", "ed25519", "-N", "", "-f", path.join(folderOfMachine, `other-${name}`));
          spawnSync("ssh-add", ["-q", path.join(folderOfMachine, `other-${name}`)], { env });
        }
        assert.equal(spawnSync("ssh-add", ["-q", identityFile], { env }).status, 0);
        const copy = path.join(folderOfMachine, "id_rsa");
        await writeFile(copy, await readFile(identityFile), { mode: 0o600 });
        const hostKeys = { alias: `${backend}-pem`, knownHostsFile: path.join(folderOfMachine, "known_hosts") };
        const target = targetOn(server, { identityFile: copy, hostKeys });
        assert.equal(await status(backend, target, { SSH_AUTH_SOCK: socket }), 5);
        await writeFile(`${copy}.pub`, await readFile(`${identityFile}.pub`));
        assert.equal(await status(backend, target, { SSH_AUTH_SOCK: socket }), 5);
        // Two keys of the kind, and nothing to tell them apart by: neither is guessed.
        await rm(`${copy}.pub`);
        keygen("-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", path.join(folderOfMachine, "other-rsa"));
        spawnSync("ssh-add", ["-q", path.join(folderOfMachine, "other-rsa")], { env });
        await assert.rejects(
          status(backend, target, { SSH_AUTH_SOCK: socket }),
          (error) => isMachineError(error, "ssh-key-unusable") && /id_rsa\.pub, is not there/u.test(error.message),
        );
      } finally {
        own.kill();
        await once(own, "exit");
      }
    });

    test(`${backend}: an agent with more keys than the server takes attempts is told as such`, async () => {
      const socket = path.join(folder, `${backend}-many`);
      const own = spawn("ssh-agent", ["-D", "-a", socket], { stdio: ["ignore", "pipe", "inherit"] });
      await once(own.stdout as NodeJS.EventEmitter, "data");
      try {
        for (let index = 0; index < 8; index += 1) {
          const file = path.join(folder, `${backend}-many-${index}`);
          keygen("-q", "-t", "ed25519", "-N", "", "-f", file);
          spawnSync("ssh-add", ["-q", file], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
        }
        const target = targetOn(server, { identityFile: undefined, hostKeys: { alias: `${backend}-many` } });
        await assert.rejects(status(backend, target, { SSH_AUTH_SOCK: socket }), (error) => {
          assert.ok(isMachineError(error, "ssh-authentication"), String(error));
          assert.match(error.message, /too many authentication failures, after [5-8] keys were offered$/u);
          assert.match(error.hint ?? "", /MaxAuthTries.*--generic-ssh-key/u);
          return true;
        });
      } finally {
        own.kill();
        await once(own, "exit");
      }
    });

    for (const [flaw, spoil] of flaws) {
      test(`${backend}: a key file that ${flaw} works or is told as such`, async () => {
        const identityFile = path.join(folder, `${backend}-${flaw.replaceAll(/\W/gu, "-")}`);
        await writeFile(identityFile, spoil(await readFile(server.identityFile, "utf8")), { mode: 0o600 });
        const target = targetOn(server, { identityFile, hostKeys: { alias: `${backend}-${flaw.length}` } });
        if (backend === "native") assert.equal(await status(backend, target), 5);
        else
          await assert.rejects(
            status(backend, target),
            (error) =>
              isMachineError(error, "ssh-key-unusable") && error.message.includes(`${identityFile} ${flaw}, so that OpenSSH`),
          );
      });
    }

    test(`${backend}: paths with blanks, quotes and percent signs`, async () => {
      const odd = path.join(folder, `${backend} "a" %h 'b'`);
      await mkdir(odd, { recursive: true });
      const identityFile = path.join(odd, "id %d");
      await writeFile(identityFile, await readFile(server.identityFile), { mode: 0o600 });
      const target = targetOn(server, { identityFile, hostKeys: { knownHostsFile: path.join(odd, "known hosts") } });
      assert.equal(await status(backend, target), 5);
    });
  }

  test("native: no key given, the user's default keys", async () => {
    const home = path.join(folder, "home");
    await mkdir(path.join(home, ".ssh"), { recursive: true });
    await writeFile(path.join(home, ".ssh", "id_ed25519"), await readFile(server.identityFile), { mode: 0o600 });
    const context = sshTestContext();
    const computer = { ...context.computer, homeDir: home };
    const target = targetOn(server, { identityFile: undefined, hostKeys: { alias: "default-keys" } });
    await using ssh = await openSshExecutor("native", target, { ...context, computer });
    assert.equal((await ssh.run("exit 5")).status, 5);
  });

  test("native: no key at all is said to be that", async () => {
    const context = sshTestContext();
    const target = targetOn(server, { identityFile: undefined, hostKeys: { alias: "no-keys" } });
    await using ssh = await openSshExecutor("native", target, { ...context, computer: { ...context.computer, homeDir: folder } });
    await assert.rejects(
      ssh.connect(),
      (error) => isMachineError(error, "ssh-authentication") && /no key was found to try/u.test(error.message),
    );
  });

  describe("an entry of ssh_config, through another host", { concurrency: 1 }, () => {
    let config = "";
    let knownHosts = "";
    let target: SshTarget;
    before(async () => {
      config = path.join(folder, "ssh_config");
      knownHosts = path.join(folder, "known_hosts");
      const [hostKey] = server.hostKeys;
      assert.ok(hostKey);
      await writeFile(knownHosts, `jump ${formatPublicKey(hostKey)}\n`);
      const address = ` HostName 127.0.0.1\n Port ${server.port}\n`;
      await writeFile(
        config,
        `Host jump\n${address} HostKeyAlias jump\n UserKnownHostsFile ${knownHosts}\n` +
          `Host box\n${address} ProxyJump jump\n StrictHostKeyChecking no\n NoHostAuthenticationForLocalhost yes\n` +
          ` RemoteCommand exit 99\n RequestTTY force\n LocalForward 1 127.0.0.1:1\n ControlMaster auto\n` +
          `Host *\n User ${server.userName}\n IdentityFile ${server.identityFile}\n`,
      );
      const fromConfig = { hostName: "", port: 0, userName: "", identityFile: undefined };
      target = targetOn(server, { configHost: "box", ...fromConfig, hostKeys: { alias: "box" } });
    });

    test("what the entry asks for beside the way there does not count", async () => {
      assert.equal(await status("openssh", target, {}, config), 5);
    });

    test("the pinned key counts, whatever the entry says of host keys", async () => {
      const wrong = { ...target.hostKeys, alias: "wrong", knownHostsFile: path.join(folder, "known_hosts_wrong") };
      await pinHostKeys(wrong, [parsePublicKey(generateKeyPair("x").publicKey) as PublicKey]);
      const connecting = status("openssh", { ...target, hostKeys: wrong }, {}, config);
      await assert.rejects(
        connecting,
        (error) => isMachineError(error, "host-key-mismatch") && /127\.0\.0\.1/u.test(error.message),
      );
    });

    test("an expected fingerprint counts at first contact", async () => {
      const expecting = {
        ...target.hostKeys,
        knownHostsFile: path.join(folder, "known_hosts_new"),
        expectedFingerprint: "SHA256:x",
      };
      const connecting = status("openssh", { ...target, hostKeys: expecting }, {}, config);
      await assert.rejects(connecting, (error) => isMachineError(error, "host-key-mismatch"));
    });

    test("a host on the way that is not known stops the connection", async () => {
      await writeFile(knownHosts, "");
      await assert.rejects(status("openssh", target, {}, config), (error) => {
        return isMachineError(error) && /127\.0\.0\.1/u.test(error.message);
      });
    });
  });

  test("ssh_config is OpenSSH's: the native back end says so", async () => {
    const opening = openSshExecutor("native", targetOn(server, { configHost: "box" }), sshTestContext());
    await assert.rejects(
      opening,
      (error) => isMachineError(error, "usage") && /"box" is an entry of ssh_config/u.test(error.message),
    );
  });
});

test("the native back end stands in where ssh is not installed, or is asked for", async () => {
  const without = { find: async () => undefined };
  const present = { find: async () => "/usr/bin/ssh" };
  assert.equal(await chooseSshBackend(false, present), "openssh");
  assert.equal(await chooseSshBackend(true, present), "native");
  assert.equal(await chooseSshBackend(false, without), "native");
});
