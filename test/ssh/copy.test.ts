import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { networkInterfaces, tmpdir } from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { isMachineError } from "../../src/errors/machine-error.ts";
import type { SshBackend } from "../../src/ssh/executor.ts";
import { sshfsArguments } from "../../src/ssh/openssh-arguments.ts";
import { copyFiles } from "../../src/ssh/scp.ts";
import type { CopyEndpoint, CopyRequest } from "../../src/ssh/scp-request.ts";
import type { TerminalStreams } from "../../src/ssh/ssh-context.ts";
import { startSshd, whyNot, type TestServer } from "./real-servers.ts";
import { targetOn, sshTestContext } from "./ssh-test-context.ts";

const skip = whyNot("sshd") ?? false;
const noRsync = spawnSync("rsync", ["--version"]).error === undefined ? false : "rsync is not installed";
const noSshfs = existsSync("/dev/fuse") && spawnSync("sshfs", ["--version"]).error === undefined ? false : "needs sshfs and FUSE";
const noIpv6 = (networkInterfaces()["lo"] ?? []).some(({ address }) => address === "::1") ? false : "no IPv6 here";

describe("copying files", { skip, concurrency: true }, () => {
  let web: TestServer;
  let data: TestServer;
  let plain: TestServer;
  let folder = "";
  const content = randomBytes(400_001);
  before(async () => {
    [web, data, plain] = await Promise.all([
      startSshd(),
      startSshd(noIpv6 === false ? { hostName: "::1", hostKeyTypes: ["rsa"] } : { hostKeyTypes: ["rsa"] }),
      startSshd({ sftp: false, hostKeyTypes: ["ed25519"] }),
    ]);
    folder = await mkdtemp(path.join(tmpdir(), "scp-"));
    await mkdir(path.join(folder, "tree/sub dir"), { recursive: true });
    await writeFile(path.join(folder, "tree/a"), content, { mode: 0o640 });
    await writeFile(path.join(folder, "tree/sub dir/ü 'q\" $x"), "odd name", { mode: 0o755 });
    await writeFile(path.join(folder, "tree/empty"), "");
    await symlink("a", path.join(folder, "tree/link"));
    await utimes(path.join(folder, "tree/a"), 1_000_000_000, 1_000_000_001);
  });
  after(async () => {
    await Promise.all([web, data, plain].map((server) => server?.stop()));
    await rm(folder, { recursive: true });
  });

  const local = (name: string): CopyEndpoint => ({ target: undefined, path: path.join(folder, name) });
  const at = (server: TestServer, name: string): CopyEndpoint => ({
    target: targetOn(server, { hostKeys: { alias: server === web ? "web" : "data" } }),
    path: name,
  });
  const copy = async (
    backend: SshBackend,
    source: CopyEndpoint,
    destination: CopyEndpoint,
    options: Partial<CopyRequest> = {},
  ): Promise<string> => {
    const request: CopyRequest = { source, destination, recursive: false, delta: false, quiet: true, ...options };
    let said = "";
    const stderr = { write: (chunk: Uint8Array) => (said += Buffer.from(chunk).toString()) };
    const terminal = { ...process, stderr } as unknown as TerminalStreams;
    await copyFiles(request, backend, { ...sshTestContext({ TMPDIR: folder }), terminal }).catch((error: unknown) => {
      if (error instanceof Error) error.stack = said;
      throw error;
    });
    return said;
  };
  const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;
  /** What went wrong is told by our error, or by scp and rsync on standard error. */
  const failing =
    (pattern: RegExp) =>
    (error: unknown): boolean => {
      assert.ok(isMachineError(error, "copy-failed"), String(error));
      assert.match(`${error.message}\n${error.stack}`, pattern);
      return true;
    };

  for (const backend of ["openssh", "native"] as const) {
    test(`${backend}: a file there and back, with its mode`, async () => {
      await copy(backend, local("tree/a"), at(web, `${backend}-file`));
      assert.ok((await readFile(path.join(web.home, `${backend}-file`))).equals(content));
      assert.equal(await modeOf(path.join(web.home, `${backend}-file`)), 0o640);
      await copy(backend, at(web, `${web.userName === "root" ? "/root" : "~"}/${backend}-file`), local(`${backend}-back`));
      assert.ok((await readFile(path.join(folder, `${backend}-back`))).equals(content));
    });

    test(`${backend}: a folder with all that is in it, links followed`, async () => {
      await copy(backend, local("tree"), at(web, `${backend}-tree`), { recursive: true });
      const there = path.join(web.home, `${backend}-tree`);
      assert.equal(await readFile(path.join(there, "sub dir/ü 'q\" $x"), "utf8"), "odd name");
      assert.equal(await modeOf(path.join(there, "sub dir/ü 'q\" $x")), 0o755);
      assert.ok((await readFile(path.join(there, "link"))).equals(content));
      assert.equal((await stat(path.join(there, "empty"))).size, 0);
      await mkdir(path.join(folder, `${backend}-into`));
      const said = await copy(backend, at(web, `${backend}-tree`), local(`${backend}-into`), { recursive: true });
      assert.equal(said, "", "what scp says to itself is for nobody");
      assert.equal(await readFile(path.join(folder, `${backend}-into/${backend}-tree/sub dir/ü 'q" $x`), "utf8"), "odd name");
    });

    test(`${backend}: a folder without -r is refused`, async () => {
      await assert.rejects(copy(backend, local("tree"), at(web, `${backend}-no`)), failing(/folder|not a regular file/u));
    });

    test(`${backend}: times are kept where asked`, async () => {
      await copy(backend, local("tree/a"), at(web, `${backend}-times`), { preserve: true });
      assert.equal(Math.floor((await stat(path.join(web.home, `${backend}-times`))).mtimeMs / 1000), 1_000_000_001);
    });

    test(`${backend}: from one machine to another that differs in address, port, key and host key`, async () => {
      await copy(backend, local("tree/a"), at(web, `${backend}-relay`));
      await copy(backend, at(web, `${backend}-relay`), at(data, `${backend}-relayed`));
      assert.ok((await readFile(path.join(data.home, `${backend}-relayed`))).equals(content));
    });

    test(`${backend}: patterns of the remote side`, async () => {
      await mkdir(path.join(web.home, `${backend}-logs`));
      for (const name of ["a.log", "b.log", "c.txt"]) await writeFile(path.join(web.home, `${backend}-logs`, name), name);
      await mkdir(path.join(folder, `${backend}-logs`));
      await copy(backend, at(web, `${backend}-logs/*.log`), local(`${backend}-logs`));
      assert.equal(await readFile(path.join(folder, `${backend}-logs/b.log`), "utf8"), "b.log");
      await assert.rejects(stat(path.join(folder, `${backend}-logs/c.txt`)));
    });

    test(`${backend}: what cannot be copied is an error, here and there`, async () => {
      await assert.rejects(copy(backend, local("nowhere"), at(web, "x")), failing(/nowhere/u));
      await assert.rejects(copy(backend, at(web, "nowhere"), local("x")), failing(/nowhere/u));
      await assert.rejects(copy(backend, local("tree/a"), at(web, "no/such/folder/x")), failing(/no\/such\/folder/u));
    });

    test(`${backend}: a machine that cannot be reached is told as elsewhere`, async () => {
      const endpoint = at(web, "x");
      const closed = { ...endpoint, target: { ...targetOn(web), port: 1 } };
      await assert.rejects(
        copy(backend, local("tree/a"), closed),
        (error) => isMachineError(error, "ssh-unreachable") && /refused/u.test(error.message),
      );
    });

    test(`${backend}: on this computer alone`, async () => {
      await copy(backend, local("tree/a"), local(`${backend}-local`));
      assert.ok((await readFile(path.join(folder, `${backend}-local`))).equals(content));
    });
  }

  test("openssh: a machine without SFTP gets scp's old protocol", async () => {
    assert.equal(await copy("openssh", local("tree/a"), at(plain, "old")), "", "that it was tried by SFTP is for nobody");
    assert.ok((await readFile(path.join(plain.home, "old"))).equals(content));
  });

  test("native: a machine without SFTP is said to have none", async () => {
    await assert.rejects(copy("native", local("tree/a"), at(plain, "old")), failing(/offers no SFTP/u));
  });

  test("openssh: a machine that allows one session at a time is copied to without a word", async () => {
    const single = await startSshd({ config: ["MaxSessions 1"] });
    try {
      for (const recursive of [false, true]) {
        const target = targetOn(single, { hostKeys: { alias: "single" } });
        assert.equal(await copy("openssh", local("tree/a"), { target, path: "single" }, { recursive }), "");
        assert.equal(await copy("openssh", { target, path: "single" }, local("single-back"), { recursive }), "");
        assert.ok((await readFile(path.join(folder, "single-back"))).equals(content));
      }
    } finally {
      await single.stop();
    }
  });

  test("a local name with a colon is no machine", async () => {
    await writeFile(path.join(folder, "a:b"), "colon");
    const [source, before] = [{ target: undefined, path: "a:b" }, process.cwd()];
    process.chdir(folder);
    try {
      await copy("openssh", source, at(web, "colon"));
    } finally {
      process.chdir(before);
    }
    assert.equal(await readFile(path.join(web.home, "colon"), "utf8"), "colon");
  });

  test("differences only, with rsync, in both directions", { skip: noRsync }, async () => {
    await copy("openssh", local("tree/"), at(web, "rsync"), { recursive: true, delta: true });
    assert.ok((await readFile(path.join(web.home, "rsync/a"))).equals(content));
    await chmod(path.join(web.home, "rsync/a"), 0o600);
    await copy("native", at(web, "rsync/a"), local("rsynced"), { delta: true });
    assert.ok((await readFile(path.join(folder, "rsynced"))).equals(content));
  });

  test("a machine's folder can be mounted with sshfs", { skip: noSshfs }, async () => {
    const { target } = at(web, "");
    assert.ok(target);
    await copy("openssh", local("tree/a"), at(web, "mounted-file"));
    const mountPoint = await mkdtemp(path.join(folder, "mount-"));
    const { status, stderr } = spawnSync("sshfs", sshfsArguments(target, "", mountPoint), { encoding: "utf8" });
    assert.equal(status, 0, stderr);
    try {
      assert.ok((await readFile(path.join(mountPoint, "mounted-file"))).equals(content));
    } finally {
      spawnSync("fusermount", ["-u", mountPoint]);
    }
  });

  test("rsync between two machines is refused", async () => {
    const copying = copy("openssh", at(web, "a"), at(data, "a"), { delta: true });
    await assert.rejects(
      copying,
      (error) => isMachineError(error, "usage") && /from one machine to another/u.test(error.message),
    );
  });

  test("progress is reported, and kept quiet where asked", async () => {
    const request: CopyRequest = {
      source: local("tree/a"),
      destination: at(web, "progress"),
      recursive: false,
      delta: false,
      quiet: false,
    };
    const context = sshTestContext();
    await copyFiles(request, "native", context);
    const transfers = context.events.filter((event) => event.type === "transfer");
    assert.deepEqual(transfers.at(-1), { type: "transfer", what: "a", doneBytes: content.length, totalBytes: content.length });
    const quiet = sshTestContext();
    await copyFiles({ ...request, quiet: true }, "native", quiet);
    assert.deepEqual(
      quiet.events.filter((event) => event.type === "transfer"),
      [],
    );
  });
});
