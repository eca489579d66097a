/** What a release is made of, and install.sh against a server on this computer. */
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { after, before, describe, it } from "node:test";
import { billOfMaterials } from "../../scripts/release/bill-of-materials.ts";
import { writeChecksums } from "../../scripts/release/checksums.ts";
import { buildDebianPackage, debianVersion } from "../../scripts/release/debian.ts";
import { signatureOf } from "../../scripts/release/mach-o.ts";
import { formulaOf, manifestOf } from "../../scripts/release/package-managers.ts";
import { targets } from "../../scripts/release/targets.ts";
import { versionPlaces } from "../../scripts/release/version.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
  readonly version: string;
  readonly dependencies: Readonly<Record<string, string>>;
};
/** Stands in for an executable. */
const program = "#!/bin/sh\necho docker-machine version 9.9.9, build test\n";

describe("install.sh", () => {
  const files = new Map<string, string>();
  let server: Server;
  let from = "";

  before(async () => {
    server = createServer(({ url = "" }, response) => {
      const body = files.get(url);
      response.statusCode = body === undefined ? 404 : 200;
      response.end(body);
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    from = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dm`;
    const sum = createHash("sha256").update(program).digest("hex");
    for (const folder of ["", "/9.9.9", "/tampered"])
      for (const name of Object.keys(targets).filter((each) => each.startsWith("linux"))) {
        files.set(`/dm${folder}/docker-machine-${name}`, folder === "/tampered" ? `${program}rm -rf everything\n` : program);
        const sums = files.get(`/dm${folder}/SHA256SUMS`) ?? "";
        files.set(`/dm${folder}/SHA256SUMS`, `${sums}${sum}  docker-machine-${name}\n`);
      }
    files.set("/dm/empty/SHA256SUMS", "");
    const broken = "#!/bin/sh\nexit 1\n";
    for (const name of Object.keys(targets).filter((each) => each.startsWith("linux"))) {
      files.set(`/dm/broken/docker-machine-${name}`, broken);
      const line = `${createHash("sha256").update(broken).digest("hex")}  docker-machine-${name}\n`;
      files.set("/dm/broken/SHA256SUMS", (files.get("/dm/broken/SHA256SUMS") ?? "") + line);
    }
  });
  after(() => void server.close());

  interface Ended {
    readonly status: number;
    readonly said: string;
  }

  async function install(prefix: string, ...args: readonly string[]): Promise<Ended> {
    return await run(process.env, "--prefix", prefix, ...args);
  }
  async function run(env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Ended> {
    return await new Promise((resolve) => {
      const whole = ["scripts/release/install.sh", ...args];
      execFile("sh", whole, { timeout: 30_000, env }, (error, stdout, stderr) => {
        resolve({ status: error === null ? 0 : Number(error.code), said: stdout + stderr });
      });
    });
  }
  const installed = (prefix: string): string => path.join(prefix, "bin/docker-machine");

  it("installs what the sums say, of a version where one is named", async () => {
    for (const more of [[], ["--version", "9.9.9"]]) {
      const prefix = temporaryFolder();
      const { status, said } = await install(prefix, "--from", from, ...more);
      assert.equal(status, 0, said);
      assert.match(said, /^Installed docker-machine version 9\.9\.9, build test in /mu);
      assert.equal(readFileSync(installed(prefix), "utf8"), program);
      assert.equal(readFileSync(path.join(prefix, "share/docker-machine/installed-by"), "utf8"), "install.sh\n");
    }
  });

  it("says which other one the shell finds first", async () => {
    const prefix = temporaryFolder();
    const other = path.join(temporaryFolder(), "docker-machine");
    writeFileSync(other, program, { mode: 0o755 });
    const before = { ...process.env, PATH: `${path.dirname(other)}:${prefix}/bin:${process.env["PATH"]}` };
    assert.ok((await run(before, "--prefix", prefix, "--from", from)).said.includes(`\n${other} comes first on PATH: `));
    const behind = { ...process.env, PATH: `${prefix}/bin:${path.dirname(other)}:${process.env["PATH"]}` };
    assert.doesNotMatch((await run(behind, "--prefix", prefix, "--from", from)).said, /PATH/u);
  });

  it("refuses a file with another sum, and leaves what was there", async () => {
    const prefix = temporaryFolder();
    mkdirSync(path.join(prefix, "bin"));
    writeFileSync(installed(prefix), "the one before");
    const { status, said } = await install(prefix, "--from", from, "--version", "tampered");
    assert.equal(status, 1);
    assert.match(said, /is not what SHA256SUMS says .* nothing was installed/u);
    assert.equal(readFileSync(installed(prefix), "utf8"), "the one before");
    assert.equal(existsSync(path.join(prefix, "share")), false);
  });

  it("leaves what was there where the new one does not start", async () => {
    const prefix = temporaryFolder();
    mkdirSync(path.join(prefix, "bin"));
    writeFileSync(installed(prefix), "the one before");
    const { status, said } = await install(prefix, "--from", from, "--version", "broken");
    assert.equal(status, 1);
    assert.match(said, /does not start on this system: nothing was installed/u);
    assert.deepEqual(readdirSync(path.join(prefix, "bin")), ["docker-machine"]);
    assert.equal(readFileSync(installed(prefix), "utf8"), "the one before");
  });

  it("says what is missing: an origin, a release, this system's executable, a right option", async () => {
    const prefix = temporaryFolder();
    for (const [args, sentence] of [
      [["--from", `${from}/nowhere`], /cannot get .*nowhere\/SHA256SUMS/u],
      [["--from", from, "--version", "empty"], /this release has no docker-machine-linux-/u],
      [["--from", "http://127.0.0.1:1"], /cannot get /u],
      [["--loud"], /--loud is not an option/u],
      [["--from"], /--from needs a value/u],
    ] as const) {
      const { status, said } = await install(prefix, ...args);
      assert.notEqual(status, 0, said);
      assert.match(said, sentence);
    }
    const text = readFileSync("scripts/release/install.sh", "utf8");
    const script = path.join(temporaryFolder(), "install.sh");
    for (const origin of ["", "@ORIGIN@"]) {
      writeFileSync(script, text.replace("@ORIGIN@", origin));
      assert.throws(() => execFileSync("sh", [script], { stdio: "pipe" }), /say where the release is, with --from URL/u);
    }
    assert.equal(existsSync(installed(prefix)), false);
  });
});

describe("a release", () => {
  it("has one version in all places", () => {
    for (const { file, pattern } of versionPlaces)
      assert.equal(readFileSync(file, "utf8").match(pattern)?.[0], manifest.version, file);
  });

  it("names every package it is made of", () => {
    const { components } = JSON.parse(billOfMaterials("1.2.3")) as {
      readonly components: readonly { readonly name: string; readonly version: string }[];
    };
    const names = components.map(({ name }) => name);
    for (const name of [...Object.keys(manifest.dependencies), "bun"]) assert.ok(names.includes(name), name);
    assert.ok(!names.includes("typescript"));
    for (const { name, version } of components) assert.match(version, /^\d/u, name);
  });

  it("has sums, and a formula and a manifest that name them", () => {
    const folder = temporaryFolder();
    for (const [name, { suffix = "" }] of Object.entries(targets))
      writeFileSync(path.join(folder, `docker-machine-${name}${suffix}`), name);
    const sums = writeChecksums(folder);
    execFileSync("sha256sum", ["--check", "--quiet", "SHA256SUMS"], { cwd: folder });
    const formula = formulaOf("1.2.3", "http://127.0.0.1/dm", sums);
    for (const name of ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"]) {
      assert.ok(formula.includes(`url "http://127.0.0.1/dm/docker-machine-${name}"`));
      assert.ok(formula.includes(sums[`docker-machine-${name}`] ?? "no sum"), name);
    }
    const scoop = JSON.parse(manifestOf("1.2.3", "http://127.0.0.1/dm", sums)) as { architecture: { "64bit": { hash: string } } };
    assert.equal(scoop.architecture["64bit"].hash, sums["docker-machine-windows-x64.exe"]);
  });

  it("has Debian packages with completions, man page and licence", (t) => {
    if (!existsSync("/usr/bin/dpkg-deb")) return t.skip("dpkg-deb is not installed");
    const out = temporaryFolder();
    const executable = path.join(out, "program");
    writeFileSync(executable, program, { mode: 0o700 });
    const file = buildDebianPackage({ executable, architecture: "amd64", version: "1.2.3-rc.1", out });
    assert.equal(path.basename(file), "docker-machine_1.2.3~rc.1_amd64.deb");
    const contents = execFileSync("dpkg-deb", ["--contents", file], { encoding: "utf8" });
    for (const place of [
      "bin/docker-machine",
      "share/bash-completion/completions/docker-machine",
      "share/man/man1/docker-machine.1.gz",
      "share/man/man1/docker-machine-ls.1.gz",
      "share/doc/docker-machine/copyright",
    ])
      assert.match(contents, new RegExp(`root/root .* \\./usr/${place}$`, "mu"));
    assert.match(contents, /^-rwxr-xr-x root\/root .* \.\/usr\/bin\/docker-machine$/mu);
    assert.match(contents, /^drwxr-xr-x root\/root .* \.\/$/mu);
    assert.equal(debianVersion("1.2.3"), "1.2.3");
  });
});

describe("the signature of a program for macOS", () => {
  /** A file with one load command and, behind it, a directory of code with these flags. */
  function program(flags: number | undefined): Buffer {
    const file = Buffer.alloc(256);
    file.writeUInt32LE(0xfeedfacf, 0);
    file.writeUInt32LE(flags === undefined ? 0 : 1, 16);
    file.writeUInt32LE(0x1d, 32);
    file.writeUInt32LE(16, 36);
    file.writeUInt32LE(64, 40);
    file.writeUInt32BE(0xfade0cc0, 64);
    file.writeUInt32BE(1, 72);
    file.writeUInt32BE(32, 80);
    file.writeUInt32BE(0xfade0c02, 96);
    file.writeUInt32BE(flags ?? 0, 108);
    return file;
  }

  it("is told from its load commands", () => {
    assert.equal(signatureOf(program(0x2)), "ad-hoc");
    assert.equal(signatureOf(program(0x10000)), "signed");
    assert.equal(signatureOf(program(undefined)), "none");
    assert.equal(signatureOf(Buffer.from("#!/bin/sh\n")), "none");
  });
});
