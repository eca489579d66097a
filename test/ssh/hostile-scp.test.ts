/**
 * Machines that lie while files are copied from them: what a server sends under scp's old protocol, over SFTP, or in the
 * place of either. Nothing is written but what was asked for, and nothing waits for ever.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, before, describe, test } from "node:test";
import { isMachineError, type MachineError } from "../../src/errors/machine-error.ts";
import type { SshBackend } from "../../src/ssh/executor.ts";
import { copyFiles } from "../../src/ssh/scp.ts";
import type { CopyEndpoint, CopyRequest } from "../../src/ssh/scp-request.ts";
import type { TerminalStreams } from "../../src/ssh/ssh-context.ts";
import { startSshd, whyNot, type ServerOptions, type TestServer } from "./real-servers.ts";
import { targetOn, sshTestContext } from "./ssh-test-context.ts";

const skip = whyNot("sshd") ?? false;
const noRsync = spawnSync("rsync", ["--version"]).error === undefined ? false : "rsync is not installed";

/** Sends what it likes, whatever was asked for, as the sending side of scp's old protocol. */
const lyingScp = (lines: string): string => `#!/bin/sh
case "$*" in *-t*) exec /usr/bin/scp "$@" ;; esac
${lines}
`;

async function disposable(options: ServerOptions): Promise<TestServer & AsyncDisposable> {
  const server = await startSshd(options);
  return { ...server, [Symbol.asyncDispose]: async () => await server.stop() };
}

describe("copying from a hostile machine", { skip, concurrency: true }, () => {
  let plain: TestServer;
  let web: TestServer;
  let folder = "";
  before(async () => {
    [plain, web] = await Promise.all([startSshd({ sftp: false }), startSshd()]);
    folder = await mkdtemp(path.join(tmpdir(), "hostile-"));
  });
  after(async () => {
    await Promise.all([plain?.stop(), web?.stop()]);
    await rm(folder, { recursive: true });
  });

  const at = (server: TestServer, file: string, alias = server === plain ? "plain" : "web"): CopyEndpoint => ({
    target: targetOn(server, { hostKeys: { alias } }),
    path: file,
  });
  const local = (file: string): CopyEndpoint => ({ target: undefined, path: file });
  const copy = async (
    source: CopyEndpoint,
    destination: CopyEndpoint,
    options: Partial<CopyRequest> & { readonly backend?: SshBackend } = {},
  ): Promise<void> => {
    const { backend = "openssh", ...rest } = options;
    const request: CopyRequest = { source, destination, recursive: false, delta: false, quiet: true, ...rest };
    const stderr = { write: () => true };
    const terminal = { ...process, stderr } as unknown as TerminalStreams;
    await copyFiles(request, backend, { ...sshTestContext({ TMPDIR: folder }), terminal });
  };
  const refusal = async (copying: Promise<void>): Promise<MachineError> => {
    const error: unknown = await copying.then(
      () => assert.fail("it was copied"),
      (thrown: unknown) => thrown,
    );
    assert.ok(isMachineError(error), String(error));
    return error;
  };
  const newFolder = async (name: string): Promise<string> => {
    const made = path.join(folder, name);
    await mkdir(made, { recursive: true });
    return made;
  };
  /** A server without SFTP whose `scp` sends what the lines say. */
  const withLyingScp = async (lines: string, work: (server: TestServer) => Promise<void>): Promise<void> => {
    const bin = await mkdtemp(path.join(folder, "bin-"));
    await writeFile(path.join(bin, "scp"), lyingScp(lines));
    await chmod(path.join(bin, "scp"), 0o755);
    await using server = await disposable({ sftp: false, config: [`SetEnv PATH=${bin}:${process.env["PATH"]} SHLVL=2`] });
    await work(server);
  };
  const dotfile = `printf 'C0644 5 .bashrc\\n'; printf 'evil\\n\\0'`;

  for (const [what, source, options] of [
    ["folders", "tree", { recursive: true }],
    ["a pattern", "*.log", {}],
  ] as const) {
    test(`${what} from a machine without SFTP are not taken by the old protocol unasked`, async () => {
      const here = await newFolder(`refused-${what}`);
      const error = await refusal(copy(at(plain, source), local(here), options));
      assert.match(error.message, /"plain" offers no SFTP, and to copy .* would let it choose the names of the files/u);
      assert.match(error.hint ?? "", /--legacy/u);
      assert.deepEqual(await readdir(here), []);
    });
  }

  test("between machines the old protocol is not taken unasked", async () => {
    await writeFile(path.join(plain.home, "f"), "x");
    const error = await refusal(copy(at(plain, "f"), at(web, "f")));
    assert.match(error.message, /from one machine to another/u);
    assert.match((await refusal(copy(at(web, "f"), at(plain, "f")))).hint ?? "", /--legacy/u);
  });

  test("one file is what was asked for, whatever name the machine sends", async () => {
    await withLyingScp(dotfile, async (server) => {
      const here = await newFolder("one-file");
      await copy(at(server, "report.txt", "liar"), local(here)).catch(() => {});
      assert.deepEqual(
        (await readdir(here)).filter((name) => name !== "report.txt"),
        [],
      );
    });
  });

  test("with --legacy, other names than were asked for are refused, and nothing of them stays", async () => {
    const folderAndFile = `printf 'D0755 0 .ssh\\n'; printf 'C0644 5 authorized_keys\\n'; printf 'evil\\n\\0'; printf 'E\\n'`;
    for (const [lines, source] of [
      [folderAndFile, "tree"],
      [dotfile, "tree"],
      [dotfile, "*.log"],
    ] as const) {
      await withLyingScp(lines, async (server) => {
        const here = await mkdtemp(path.join(folder, "legacy-"));
        const error = await refusal(
          copy(at(server, source, "liar"), local(here), { recursive: source === "tree", legacy: true }),
        );
        assert.equal(error.code, "copy-failed");
        assert.deepEqual(await readdir(here), []);
        await refusal(copy(at(server, source, "liar"), at(web, "into-web"), { recursive: true, legacy: true }));
        assert.ok(!(await readdir(web.home)).some((name) => name === "into-web" || name === ".bashrc"));
        assert.ok(!(await readFile(path.join(web.home, ".ssh/authorized_keys"), "utf8")).includes("evil"));
      });
    }
  });

  test("with --legacy, folders in each other without end are refused", async () => {
    const deep = `i=0; while [ $i -lt 80 ]; do printf 'D0755 0 tree\\n'; i=$((i+1)); done; i=0; while [ $i -lt 80 ]; do printf 'E\\n'; i=$((i+1)); done; sleep 1`;
    await withLyingScp(deep, async (server) => {
      const here = await newFolder("deep");
      const error = await refusal(copy(at(server, "tree", "liar"), local(here), { recursive: true, legacy: true }));
      assert.match(error.message, /more than 64 deep/u);
      assert.deepEqual(await readdir(here), []);
    });
  });

  test("with --legacy, folders and patterns arrive, here and on another machine", async () => {
    await mkdir(path.join(plain.home, "t r/sub"), { recursive: true });
    await writeFile(path.join(plain.home, "t r/sub/a.log"), "a");
    const here = await newFolder("arrive");
    await copy(at(plain, "t r"), local(here), { recursive: true, legacy: true });
    await copy(at(plain, "t r/sub/*.log"), local(here), { legacy: true });
    await copy(at(plain, "t r"), local(path.join(here, "renamed")), { recursive: true, legacy: true });
    assert.equal(await readFile(path.join(here, "t r/sub/a.log"), "utf8"), "a");
    assert.equal(await readFile(path.join(here, "a.log"), "utf8"), "a");
    assert.equal(await readFile(path.join(here, "renamed/sub/a.log"), "utf8"), "a");
    await using other = await disposable({});
    await copy(at(plain, "t r"), at(other, "moved", "other"), { recursive: true, legacy: true });
    assert.equal(await readFile(path.join(other.home, "moved/sub/a.log"), "utf8"), "a");
  });

  test("paths mean the same with and without SFTP, and run nothing", async () => {
    const names = ["x y.txt", "it's", 'a"b', "$(touch RAN)z", "`touch RAN`", "a;touch RAN", "a{b,c}", "!x"];
    await writeFile(path.join(folder, "sent"), "sent");
    for (const server of [plain, web]) {
      await mkdir(path.join(server.home, "a b"), { recursive: true });
      for (const name of names) {
        await copy(local(path.join(folder, "sent")), at(server, `a b/${name}`));
        assert.equal(await readFile(path.join(server.home, "a b", name), "utf8"), "sent", name);
        await copy(at(server, `a b/${name}`), local(path.join(folder, "got")));
        assert.equal(await readFile(path.join(folder, "got"), "utf8"), "sent", name);
        await rm(path.join(folder, "got"));
      }
      assert.deepEqual(await readdir(server.home).then((all) => all.filter((name) => name === "RAN")), []);
    }
  });

  test("rsync hands no path to the remote shell", { skip: noRsync }, async () => {
    await writeFile(path.join(folder, "delta"), "delta");
    await copy(local(path.join(folder, "delta")), at(web, "$(touch RAN-rsync) d"), { delta: true });
    assert.equal(await readFile(path.join(web.home, "$(touch RAN-rsync) d"), "utf8"), "delta");
    assert.ok(!(await readdir(web.home)).includes("RAN-rsync"));
  });

  for (const backend of ["openssh", "native"] as const) {
    test(`${backend}: an SFTP server that never answers is told within the bound, and ends at a signal`, async () => {
      await using silent = await disposable({ sftp: false, config: ["Subsystem sftp /bin/sleep 100000"] });
      const target = { ...targetOn(silent, { hostKeys: { alias: "silent" } }), connectTimeoutMs: 3_000 };
      await writeFile(path.join(folder, "s"), "x");
      const started = performance.now();
      const error = await refusal(copy(local(path.join(folder, "s")), { target, path: "s" }, { backend }));
      assert.match(error.message, /^The SFTP server of "silent" did not answer within 3 s$/u);
      const controller = new AbortController();
      const patient = { ...target, connectTimeoutMs: 100_000 };
      const copying = copy(local(path.join(folder, "s")), { target: patient, path: "s" }, { backend, signal: controller.signal });
      setTimeout(() => controller.abort(new Error("enough")), 1_500);
      await assert.rejects(copying, /enough/u);
      assert.ok(performance.now() - started < 15_000);
    });

    test(`${backend}: what a login shell prints in the place of SFTP is told as such`, async () => {
      const script = path.join(folder, `noisy-${backend}`);
      await writeFile(script, "#!/bin/sh\necho Welcome to web\nexec /usr/lib/openssh/sftp-server\n", { mode: 0o755 });
      await using noisy = await disposable({ sftp: false, config: [`Subsystem sftp ${script}`] });
      await writeFile(path.join(folder, "n"), "x");
      const error = await refusal(copy(local(path.join(folder, "n")), at(noisy, "n", "noisy"), { backend }));
      assert.match(error.message, /^"noisy" prints "Welcome to web" where the answer of its SFTP server should stand$/u);
      assert.match(error.hint ?? "", /start-up file of the login shell/u);
    });
  }

  test("--legacy is not for the native back end", async () => {
    const error = await refusal(copy(at(plain, "x"), local(folder), { backend: "native", legacy: true }));
    assert.equal(error.code, "usage");
  });
});
