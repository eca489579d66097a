/**
 * No secret is seen: canaries in all places where secrets are given, then a look at every process here and on the host
 * while the commands run, and at all that they leave: output, events, the store, the host's files.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, test } from "node:test";
import { samplePlugin } from "../cli/command-line.ts";
import { labUnavailableReason, openLab, type LabHost } from "../lab/lab.ts";
import { renewSudoPassword, watchHere, watchHost, type Secrets } from "../support/secret-watch.ts";
import { createArguments } from "./generic-flags.ts";
import { Program, type ProgramResult } from "./program.ts";

const unavailable = (await labUnavailableReason()) ?? false;

const backends = { OpenSSH: {}, native: { MACHINE_NATIVE_SSH: "1" } } as const;

const canary = (name: string): string => `canary-${name}-7f3a9c5e`;
const proxyPassword = canary("proxy");
const registryToken = canary("registry");
/** The engine was meant to have them. */
const engineSecrets = [proxyPassword, registryToken];
const engineFlags = [
  "--engine-env",
  `HTTP_PROXY=http://user:${proxyPassword}@192.0.2.1:3128`,
  "--engine-env",
  `REGISTRY_TOKEN=${registryToken}`,
];

for (const [backend, env] of Object.entries(backends)) {
  test(`generic, ${backend}: a machine's life`, { skip: unavailable }, async (t) => {
    await using lab = await openLab();
    await using host = await lab.start("sudo-password");
    await using program = await Program.open();
    const site = await openSite(program, host);
    const create = [...createArguments(host, "web", "--generic-sudo-password-file", site.passwordFile), ...engineFlags];
    const results: ProgramResult[] = [];
    const run = async (...words: string[]): Promise<ProgramResult> => {
      site.typed = words;
      const result = await program.run(words, { env });
      results.push(result);
      return result;
    };

    await t.test("no process shows a secret, here or on the host", async () => {
      let here: readonly string[] = [];
      const seen = await watchHost(host, site.secrets, async () => {
        here = await watchHere(
          site.secrets,
          async () => {
            const broken = await run("--debug", ...create.toSpliced(1, 0, "--engine-opt", "no-such-flag=1"));
            assert.match(broken.stderr, /The engine on web does not start/u);
            const created = await run("--debug", ...create);
            assert.equal(created.status, 0, created.stderr);
            assert.equal((await run("--output", "json", "--debug", "provision", "web")).status, 0);
            assert.equal((await run("--debug", "ssh", "web", "id")).status, 0);
          },
          () => site.typed,
        );
      });
      assert.equal(seen, "");
      assert.deepEqual(here, []);
    });

    await t.test("nothing that is printed holds one", async () => {
      for (const words of [
        ["ls", "--output", "json"],
        ["inspect", "web"],
        ["--debug", "env", "web"],
        ["config", "web"],
      ]) {
        assert.equal((await run(...words)).status, 0, words.join(" "));
      }
      const all = [...site.secrets.everywhere, ...engineSecrets, ...(await keyLines(program))];
      for (const { stdout, stderr } of results) for (const text of [stdout, stderr]) assertNone(text, all);
      const shown = await program.ok(["inspect", "--show-secrets", "web"]);
      for (const secret of engineSecrets) assert.ok(shown.includes(secret), "what is asked for is shown");
    });

    await t.test("the store holds keys in files of their owner's alone, and the sudo password nowhere", async () => {
      const all = [...engineSecrets, ...(await keyLines(program))];
      assert.deepEqual(await filesWith(program.store, [site.sudoPassword]), []);
      for (const file of await filesWith(program.store, all)) assert.equal(await modeOf(file), "600", file);
      for (const folder of await foldersOf(program.store)) assert.equal(await modeOf(folder), "700", folder);
    });

    await t.test("on the host root alone can read them, and nobody the password", async () => {
      const all = [site.sudoPassword, ...engineSecrets, ...(await keyLines(program))];
      const stdin = `${all.join("\n")}\n`;
      const search = "grep -rlFf - /etc /var /home /root /tmp /run /usr/local 2> /dev/null";
      const holders = (await host.exec(search, { stdin })).stdout.trim().split("\n");
      assert.deepEqual(holders.toSorted(), ["/etc/docker/machine.env", "/etc/docker/server-key.pem"]);
      assert.equal(await host.sh(`stat -c '%a %U' ${holders.join(" ")}`), "600 root\n600 root");
      // What systemd tells anyone about the unit, and what was logged.
      const told = await host.sh(
        "su admin -s /bin/sh -c 'systemctl show docker.service; cat /etc/systemd/system/docker.service.d/*'",
      );
      assert.match(told, /EnvironmentFiles=\/etc\/docker\/machine\.env/u);
      assertNone(told, all);
      assert.equal((await host.exec("journalctl --no-pager -o verbose | grep -F -f -", { stdin })).stdout, "");
      const environment = await host.sh("tr '\\0' '\\n' < /proc/$(cat /run/docker.pid)/environ");
      assert.ok(environment.split("\n").includes(`REGISTRY_TOKEN=${registryToken}`), "the engine has what it was given");
    });
  });
}

test("the watch would see it: in arguments and in an environment, here and there", { skip: unavailable }, async () => {
  await using lab = await openLab();
  await using host = await lab.start("bookworm");
  const secrets: Secrets = { everywhere: [canary("both")], inArguments: [canary("argument")] };
  const seen = await watchHost(host, secrets, async () => {
    await host.sh(`sh -c 'sleep 2; :' ${canary("argument")} & LEAK=${canary("both")} sleep 2`);
  });
  assert.match(seen, /\/cmdline .*canary-argument/u);
  assert.match(seen, /\/environ .*canary-both/u);
  const here = await watchHere(secrets, async () => {
    const wait = "setTimeout(() => {}, 500)";
    const env = { ...process.env, LEAK: canary("both"), FINE: canary("argument") };
    await once(spawn(process.execPath, ["-e", wait, canary("argument")], { env, stdio: "ignore" }), "exit");
  });
  assert.equal(here.length, 2);
  for (const file of ["cmdline", "environ"])
    assert.ok(
      here.some((line) => line.includes(`/${file} `)),
      file,
    );
});

describe("a plugin's secret flag", () => {
  const [first, second] = [canary("first"), canary("second")];

  test("is stored apart, masked, shown where that is asked for, and given anew", async () => {
    await using program = await Program.open();
    const env = await addSamplePlugin(program);
    let typed: readonly string[] = [];
    const results: ProgramResult[] = [];
    const run = async (words: readonly string[], stdin = "", compat = {}): Promise<ProgramResult> => {
      typed = words;
      results.push(await program.run(words, { env: { ...env, ...compat }, stdin }));
      return results.at(-1) as ProgramResult;
    };
    const create = (name: string, text: string, token: string): string[] => [
      "--debug",
      "create",
      "-d",
      "sample",
      "--sample-text",
      text,
      "--sample-token",
      token,
      name,
    ];

    const seen = await watchHere(
      { everywhere: [first, second] },
      async () => {
        // Nothing answers where its machines are.
        assert.match((await run(create("web", "plain", first))).stderr, /SSH did not become available within 1 s/u);
        assert.match((await run(create("careless", "careless", first))).stderr, /401: \[redacted\] is not accepted/u);
        assert.equal((await run(create("bug", "bug", first))).status, 1);
        assert.equal((await run(["--debug", "config", "set", "web", "sample-token"], `${second}\n`)).status, 0);
        assert.equal((await run(["--output", "json", "--debug", "stop", "web"])).status, 0);
        assert.match((await run(["inspect", "web"])).stdout, /"Token": "\*{8}"/u);
      },
      () => typed,
    );
    assert.deepEqual(seen, []);
    for (const { stdout, stderr } of results) assertNone(`${stdout}${stderr}`, [first, second]);
    assert.equal((await run(["inspect", "--show-secrets", "-f", "{{.Driver.Token}}", "web"])).stdout, `${second}\n`);

    const machine = (name: string): string => path.join(program.store, "machines", name);
    assert.deepEqual(await filesWith(program.store, [second]), [path.join(machine("web"), "secrets.json")]);
    for (const file of await filesWith(program.store, [first, second])) {
      assert.deepEqual([path.basename(file), await modeOf(file)], ["secrets.json", "600"], file);
    }
    for (const folder of await foldersOf(program.store)) assert.equal(await modeOf(folder), "700", folder);

    const compat = { MACHINE_COMPAT: "0.16" };
    const old = await run(create("old", "plain", first), "", compat);
    assertNone(`${old.stdout}${old.stderr}`, [first]);
    assert.deepEqual(await filesWith(machine("old"), [first]), [path.join(machine("old"), "config.json")]);
    assert.equal(await modeOf(path.join(machine("old"), "config.json")), "600");
  });
});

interface Site {
  readonly sudoPassword: string;
  readonly passwordFile: string;
  readonly secrets: Secrets;
  /** What somebody typed last. */
  typed: readonly string[];
}

/** A store with a CA, whose keys are canaries too. */
async function openSite(program: Program, host: LabHost): Promise<Site> {
  await program.ok(["create", "-d", "none", "--url", "tcp://127.0.0.1:1", "seed"]);
  const sudoPassword = await renewSudoPassword(host);
  const passwordFile = path.join(program.folder, "password");
  await writeFile(passwordFile, `${sudoPassword}\n`, { mode: 0o600 });
  // A key that is made meanwhile is known by its first line.
  const everywhere = [
    sudoPassword,
    "PRIVATE KEY-----",
    ...(await keyLines(program)),
    ...(await keyLinesOf([host.privateKeyPath])),
  ];
  return { sudoPassword, passwordFile, secrets: { everywhere, inArguments: engineSecrets }, typed: [] };
}

/** A line of each private key that the store holds. */
async function keyLines(program: Program): Promise<string[]> {
  const files = await filesWith(program.store, ["PRIVATE KEY-----"]);
  return await keyLinesOf(files.filter((file) => file.endsWith("key.pem")));
}

async function keyLinesOf(files: readonly string[]): Promise<string[]> {
  assert.ok(files.length > 0);
  return await Promise.all(files.map(async (file) => (await readFile(file, "utf8")).split("\n").at(3) ?? ""));
}

function assertNone(text: string, secrets: readonly string[]): void {
  for (const secret of secrets) {
    assert.ok(secret.length > 10);
    // As it is, and as JSON writes it.
    for (const form of [secret, JSON.stringify(secret).slice(1, -1)]) assert.ok(!text.includes(form), `${secret} in:\n${text}`);
  }
}

async function entriesOf(folder: string): Promise<{ readonly file: string; readonly isFolder: boolean }[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.map((entry) => ({ file: path.join(entry.parentPath, entry.name), isFolder: entry.isDirectory() }));
}

async function foldersOf(folder: string): Promise<string[]> {
  return [folder, ...(await entriesOf(folder)).filter(({ isFolder }) => isFolder).map(({ file }) => file)];
}

/** Files at any depth that hold one of the texts. */
async function filesWith(folder: string, texts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const { file, isFolder } of await entriesOf(folder)) {
    if (isFolder) continue;
    const content = await readFile(file, "latin1");
    if (texts.some((text) => content.includes(text) || content.includes(JSON.stringify(text).slice(1, -1)))) found.push(file);
  }
  return found.toSorted();
}

async function modeOf(file: string): Promise<string> {
  return ((await stat(file)).mode & 0o777).toString(8);
}

async function addSamplePlugin(program: Program): Promise<Record<string, string>> {
  const folder = path.join(program.folder, "plugins");
  await mkdir(folder);
  const file = path.join(folder, "docker-machine-driver-sample");
  await writeFile(file, `#!${process.execPath}\n${samplePlugin}`);
  await chmod(file, 0o755);
  return {
    PATH: `${folder}${path.delimiter}${process.env["PATH"] ?? ""}`,
    MACHINE_TIMEOUT_SSH: "1s",
    MACHINE_TIMEOUT_SSH_CONNECT: "1s",
  };
}
