/**
 * The user's ssh_config on first contact: which files, names and commands say who a host is, is the user's word. What
 * plain ssh refuses is refused here, before anything is sent; afterwards the pinned key counts.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { isMachineError, type MachineError } from "../../src/errors/machine-error.ts";
import { openSshExecutor } from "../../src/ssh/connect.ts";
import { generateKeyPair } from "../../src/ssh/keys.ts";
import { fingerprintOf, formatPublicKey, parsePublicKey, type PublicKey } from "../../src/ssh/public-key.ts";
import { startSshd, whyNot, type TestServer } from "./real-servers.ts";
import { sshTestContext, targetOn, type SshTestContext } from "./ssh-test-context.ts";

const skip = whyNot("sshd") ?? false;

describe("an entry of ssh_config that speaks of host keys", { skip, concurrency: true }, () => {
  let server: TestServer;
  let folder = "";
  const stranger = parsePublicKey(generateKeyPair("x").publicKey) as PublicKey;
  before(async () => {
    server = await startSshd({ hostKeyTypes: ["ed25519"] });
    folder = await mkdtemp(path.join(tmpdir(), "ssh-config-"));
  });
  after(async () => {
    await server?.stop();
    await rm(folder, { recursive: true });
  });

  const own = (): PublicKey => server.hostKeys[0] as PublicKey;
  const write = async (name: string, text: string): Promise<string> => {
    const file = path.join(folder, name);
    await writeFile(file, text);
    return file;
  };
  const line = (key: PublicKey, name = `[127.0.0.1]:${server.port}`): string => `${name} ${formatPublicKey(key)}\n`;

  let entries = 0;
  /** Connects through an entry with these lines, for the first time. */
  const connect = async (lines: string, context = sshTestContext({ TMPDIR: server.folder })): Promise<string> => {
    entries += 1;
    const name = `box${entries}`;
    const config = await write(
      `config-${name}`,
      // The first value of an option counts.
      `Host ${name}\n${lines} HostName 127.0.0.1\n Port ${server.port}\n User ${server.userName}\n` +
        ` IdentityFile ${server.identityFile}\n UserKnownHostsFile /dev/null\n GlobalKnownHostsFile /dev/null\n`,
    );
    const target = targetOn(server, {
      configHost: name,
      hostName: "",
      port: 0,
      userName: "",
      identityFile: undefined,
      hostKeys: { alias: name },
    });
    await using ssh = await openSshExecutor("openssh", target, { ...context, sshConfigFile: config });
    return (await ssh.run("cat", { stdin: "heard" })).stdout.toString();
  };
  const refusal = async (lines: string): Promise<MachineError> => {
    const error: unknown = await connect(lines).then(
      () => assert.fail("it was trusted"),
      (thrown: unknown) => thrown,
    );
    assert.ok(isMachineError(error, "host-key-mismatch"), String(error));
    assert.ok(error.message.includes(fingerprintOf(own())), error.message);
    return error;
  };
  const trustOf = (context: SshTestContext): unknown =>
    context.events.filter((event) => event.type === "host-key-pinned").map(({ trust }) => trust);

  for (const option of ["UserKnownHostsFile", "GlobalKnownHostsFile"]) {
    test(`${option}: another key there stops it, and both are named`, async () => {
      const { message } = await refusal(` ${option} ${await write(`other-${option}`, line(stranger))}\n`);
      assert.ok(message.includes(fingerprintOf(stranger)), message);
    });

    test(`${option}: the host's key there is known, not trusted on first use`, async () => {
      const context = sshTestContext({ TMPDIR: server.folder });
      assert.equal(await connect(` ${option} ${await write(`own-${option}`, line(own()))}\n`, context), "heard");
      assert.deepEqual(trustOf(context), ["known-hosts"]);
    });
  }

  test("HostKeyAlias: the name under which the key is looked up", async () => {
    const other = await write("alias-other", line(stranger, "prod") + line(own()));
    await refusal(` HostKeyAlias prod\n UserKnownHostsFile ${other}\n`);
    const context = sshTestContext({ TMPDIR: server.folder });
    await connect(` HostKeyAlias prod\n UserKnownHostsFile ${await write("alias-own", line(own(), "prod"))}\n`, context);
    assert.deepEqual(trustOf(context), ["known-hosts"]);
  });

  test("StrictHostKeyChecking yes: a host that is not known is refused, and no file is written", async () => {
    const file = await write("strict", "");
    const { message, hint } = await refusal(` StrictHostKeyChecking yes\n UserKnownHostsFile ${file}\n`);
    assert.match(message, /is not known, and its entry of ssh_config says StrictHostKeyChecking yes/u);
    assert.match(hint ?? "", /--ssh-host-key SHA256:/u);
    assert.equal(await readFile(file, "utf8"), "");
  });

  for (const value of ["ask", "accept-new", "no"]) {
    test(`StrictHostKeyChecking ${value}: a host that is not known is trusted once; one with another key never`, async () => {
      const context = sshTestContext({ TMPDIR: server.folder });
      const file = await write(`lax-${value}`, "");
      await connect(` StrictHostKeyChecking ${value}\n UserKnownHostsFile ${file}\n`, context);
      assert.deepEqual(trustOf(context), ["first-use"]);
      assert.equal(await readFile(file, "utf8"), "");
      await refusal(` StrictHostKeyChecking ${value}\n UserKnownHostsFile ${await write(`changed-${value}`, line(stranger))}\n`);
    });
  }

  test("KnownHostsCommand: what it prints counts", async () => {
    const command = async (name: string, key: PublicKey): Promise<string> => {
      const file = await write(name, `#!/bin/sh\necho '${line(key).trim()}'\n`);
      await chmod(file, 0o755);
      return file;
    };
    await refusal(` KnownHostsCommand ${await command("says-other", stranger)}\n`);
    const context = sshTestContext({ TMPDIR: server.folder });
    await connect(` KnownHostsCommand ${await command("says-own", own())}\n`, context);
    assert.deepEqual(trustOf(context), ["known-hosts"]);
  });

  test("RevokedHostKeys and @revoked: told as revoked", async () => {
    const file = await write("revoked", `${formatPublicKey(own())}\n`);
    const byFile = await refusal(` RevokedHostKeys ${file}\n`);
    assert.ok(byFile.message.includes(`is marked as revoked in ${file}`), byFile.message);
    const byLine = await refusal(` UserKnownHostsFile ${await write("at-revoked", `@revoked ${line(own())}`)}\n`);
    assert.match(byLine.message, /is marked as revoked/u);
  });

  test("a certificate authority for hosts is as good as the key", async () => {
    const ca = path.join(folder, "ca");
    spawnSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", ca]);
    const hostKey = path.join(server.folder, "host_ed25519");
    const signed = spawnSync("ssh-keygen", ["-q", "-s", ca, "-I", "host", "-h", "-n", "127.0.0.1", `${hostKey}.pub`]);
    assert.equal(signed.status, 0, signed.stderr.toString());
    const certified = await startSshd({
      hostKeyTypes: ["ed25519"],
      config: [`HostKey ${hostKey}`, `HostCertificate ${hostKey}-cert.pub`],
    });
    try {
      const caKey = parsePublicKey(await readFile(`${ca}.pub`, "utf8")) as PublicKey;
      const file = await write("authority", `@cert-authority * ${formatPublicKey(caKey)}\n`);
      const context = sshTestContext({ TMPDIR: server.folder });
      await connect(` Port ${certified.port}\n UserKnownHostsFile ${file}\n IdentityFile ${certified.identityFile}\n`, context);
      assert.deepEqual(trustOf(context), ["known-hosts"]);
    } finally {
      await certified.stop();
    }
  });

  test("StdinNull and ForkAfterAuthentication are for the user's own sessions", async () => {
    assert.equal(await connect(" StdinNull yes\n ForkAfterAuthentication yes\n"), "heard");
  });
});
