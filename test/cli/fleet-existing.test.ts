/** What a plan can tell of machines before any is made, and of those that exist: refused, looked at, printed for the file. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, it } from "node:test";
import { misfits, type Schema } from "../support/json-schema.ts";
import type { FakeEngine } from "../../src/engine/fake-engine.ts";
import { openCommandLine, samplePlugin, type CommandLine } from "./command-line.ts";
import { engineFor } from "./engine-fixture.ts";
import { boxRecord, fullRecord, url, write } from "./fleet-records.ts";

const schema = (JSON.parse(readFileSync("docs/facts.schema.json", "utf8")) as Schema).properties ?? {};

describe("a plan that cannot come about", () => {
  let shell: CommandLine;
  before(async () => void (shell = await openCommandLine()));
  after(async () => await shell[Symbol.asyncDispose]());
  const refused = async (machines: string): Promise<string> => {
    await write(shell, `machines:\n${machines}\n`);
    const { code, stderr } = await shell.run(["plan"]);
    assert.equal(code, 1, stderr);
    return stderr;
  };
  const box = 'driver: generic, generic-ip-address: "192.0.2.7"';

  it("is refused with line and column, where a driver refuses its flags", async () => {
    assert.equal(
      await refused("  a: {driver: none}"),
      'machines.yml:4:3: "a" cannot be what this says: --url option is required when no driver is selected\n',
    );
    assert.equal((await shell.run(["apply", "--yes"])).code, 1);
    assert.match(
      await refused(`  a: {${box}}\n  b: {driver: generic, generic-ip-address: "root@192.0.2.8"}`),
      /^machines\.yml:5:24: "b" cannot be .*\nHint: Give the address alone: --generic-ip-address 192\.0\.2\.8 --generic-ssh-user root\n$/u,
    );
    assert.match(
      await refused(`  a: {${box}, generic-ssh-port: 70000}`),
      /^machines\.yml:4:\d\d: .*70000 is not a port number\n$/u,
    );
  });

  it("is refused where a plugin refuses its flags, which is started once to tell them and once to be asked", async () => {
    const starts = path.join(shell.folder, "starts");
    await shell.addPlugin("sample", `require("fs").appendFileSync(${JSON.stringify(starts)}, "x");\n${samplePlugin}`);
    assert.equal(
      await refused("  a: {driver: sample, sample-txt: x}"),
      'machines.yml:4:23: a has no key "sample-txt", and the driver sample no such flag\nHint: Did you mean sample-text?\n',
    );
    await write(shell, "defaults: {driver: sample, sample-nope: x}\nmachines: {a: {}}\n");
    assert.match((await shell.run(["plan"])).stderr, /^machines\.yml:3:28: no driver here has a create flag --sample-nope\n/u);
    await writeFile(starts, "");
    assert.match(
      await refused("  a: {driver: sample}\n  b-[1-9]: {driver: sample, sample-num: 3}\n  c: {driver: sample, sample-text: bad}"),
      /^machines\.yml:6:23: "c" cannot be what this says: --sample-text is bad\n/u,
    );
    // The third is in doubt of the second.
    assert.equal(await readFile(starts, "utf8"), "xxx");
    await writeFile(starts, "");
    await write(shell, "machines:\n  a-[1-9]: {driver: sample}\n  c: {driver: sample, sample-text: bad, sample-token: env:X}\n");
    const unsure = await shell.run(["plan"]);
    assert.deepEqual([unsure.code, unsure.stdout], [0, "  + a-[1-9] c  create: sample\n10 to create.\n"]);
    assert.match(
      unsure.stderr,
      /^machines\.yml:5:23: "c" may be refused, as far as can be told without its secrets: --sample-text/u,
    );
  });

  it("is refused for a time that nothing could end", async () => {
    assert.match(
      await refused(`  a: {driver: none, url: ${url(1)}, ttl: 4h}`),
      /^machines\.yml:4:50: "a" cannot be what this says: "a" is not provisioned/u,
    );
    assert.match(await refused(`  a: {${box}, idle: 2h}`), /^machines\.yml:4:\d\d: .*\nHint: .*--ttl-power-off/u);
  });

  it("is refused for a swarm whose member is not looked after", async () => {
    assert.match(
      await refused(`  a: {driver: none, url: ${url(1)}}\nswarm: {prod: {managers: [a]}}`),
      /^machines\.yml:5:9: "a" can be no member of the cluster prod: nothing is set up on it\n/u,
    );
  });

  it("is refused for two machines that are one box, and said of one that somebody has already", async () => {
    const both = '"b" is the box of "a" too, 192.0.2.7:22: each would be set up as its own record says';
    const hint = "Hint: Leave one of them out of the file.\n";
    assert.equal(await refused(`  a: {${box}}\n  b: {${box}, generic-ssh-port: 22}`), `machines.yml:5:3: ${both}\n${hint}`);
    await write(shell, `machines:\n  a: {${box}}\n  b: {${box}, generic-ssh-port: 2222}\n`);
    assert.match(await shell.ok("plan"), /2 to create/u);
    await shell.ok("create -d none --url tcp://127.0.0.1:1 seed");
    const record = boxRecord(await shell.recordText("seed"))
      .replace("192.0.2.30", "127.0.0.1")
      .replace("2222", "1");
    await shell.addRecord("box", record);
    await write(shell, 'machines:\n  c: {driver: generic, generic-ip-address: "127.0.0.1", generic-ssh-port: 1}\n');
    const shared = '"c" is the box of "box" too, 127.0.0.1:1: each would be set up as its own record says\n';
    const said = await shell.run(["plan"]);
    assert.deepEqual([said.code, said.stderr], [0, `machines.yml:4:3: ${shared}`]);
    const words = "create -d generic --generic-ip-address 127.0.0.1 --generic-ssh-port 1 c".split(" ");
    const made = await shell.run(words, { env: { MACHINE_TIMEOUT_SSH: "100ms" } });
    assert.ok(made.stdout.includes(shared), made.stdout + made.stderr);
    await shell.addRecord("twin", record.replaceAll('"box"', '"twin"').replaceAll("/machines/box", "/machines/twin"));
    const entry = '{driver: generic, generic-ip-address: "127.0.0.1", generic-ssh-port: 1, generic-ssh-user: deploy}';
    await write(shell, `machines:\n  box: ${entry}\n  twin: ${entry}\n`);
    const twins = await shell.run(["plan"]);
    assert.deepEqual(
      [twins.code, twins.stderr.split("\n")[0]],
      [0, `machines.yml:5:3: ${shared.trim().replace('"c"', '"twin"')}`],
    );
    await shell.ok("rm --yes box twin seed");
  });

  it("of an engine that others look after, its settings are recorded and no more", async () => {
    const machines = (engine: string): string => `machines:\n  a: {driver: none, url: ${url(1)}, engine: ${engine}}\n`;
    await write(shell, machines('{version: "28.3"}'));
    await shell.ok("apply --yes");
    await write(shell, machines('{version: "28.4", opts: [log-driver=local]}'));
    assert.match(await shell.ok("plan"), /engine-version 28\.3 → 28\.4\n +engine-opt log-driver=local\n1 to change\.\n$/u);
    await shell.ok("apply --yes");
    assert.match(await shell.ok("plan"), /^Nothing to do/u);
  });
});

describe("drift and import", () => {
  let shell: CommandLine;
  let engine: FakeEngine;
  before(async () => {
    shell = await openCommandLine();
    await shell.ok("create -d none --url tcp://127.0.0.1:1 seed");
    engine = await engineFor(shell);
    await write(shell, `machines:\n  up: {driver: none, url: "${engine.url}"}\n`);
    await shell.ok("apply --yes");
  });
  after(async () => {
    await engine[Symbol.asyncDispose]();
    await shell[Symbol.asyncDispose]();
  });

  it("finds no drift where the engine answers, and knows nothing of a machine that does not", async () => {
    assert.equal(await shell.ok("drift --detailed-exitcode"), "No drift: 1 machine of the fleet shop is as recorded.\n");
    await write(
      shell,
      `machines:\n  up: {driver: none, url: "${engine.url}"}\n  down: {driver: none, url: "tcp://127.0.0.1:1"}\n`,
    );
    assert.equal(
      await shell.ok("drift up --detailed-exitcode"),
      "No drift: 1 machine of the fleet shop is as recorded.\n",
      "what is not there yet is no matter of drift",
    );
    await shell.ok("apply --yes down");
    const seen = await shell.run(["drift", "--detailed-exitcode"]);
    assert.equal(seen.code, 1);
    assert.match(seen.stdout, /^ {2}\? down {2}unknown: Unable to query docker version: .*\n1 could not be looked at\.\n$/u);
    assert.equal((await shell.run(["drift"])).code, 1);
    // What the file would change is shown by plan.
    await write(
      shell,
      `machines:\n  up: {driver: none, url: "${engine.url}"}\n  down: {driver: none, url: "tcp://127.0.0.1:2", labels: {a: b}}\n`,
      "changed.yml",
    );
    assert.equal((await shell.run(["drift", "--detailed-exitcode", "-f", "changed.yml"])).stdout, seen.stdout);
    await write(shell, "machines: {}\n", "none.yml");
    assert.match(
      (await shell.run(["drift", "-f", "none.yml", "down"])).stdout,
      /^ {2}\? down {2}unknown: [^\n]*\n1 could not be looked at\.\n$/u,
    );
    assert.equal((await shell.run(["plan", "--drift", "--detailed-exitcode"])).code, 1);
    assert.equal((await shell.run(["plan", "--detailed-exitcode"])).code, 0);
    const applied = await shell.run(["apply", "--drift", "--yes"]);
    assert.deepEqual([applied.code, /"down" could not be looked at/u.test(applied.stderr)], [1, true], applied.stderr);
  });

  it("prints values for programs", async () => {
    const { stdout } = await shell.run(["--output", "json", "drift"]);
    assert.deepEqual(misfits(JSON.parse(stdout), schema["drift"] ?? {}), []);
    const plan = await shell.run(["--output", "json", "plan", "--drift"]);
    assert.deepEqual(misfits(JSON.parse(plan.stdout), schema["plan"] ?? {}), []);
  });

  it("prints every setting of a machine so that a plan with it has nothing but its mark to give", async () => {
    const deadline = new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000).toISOString();
    await shell.addRecord("full", fullRecord(await shell.recordText("seed"), deadline));
    const printed = await shell.run(["plan", "--import", "full"]);
    assert.deepEqual([printed.code, printed.stderr], [0, ""]);
    for (const line of [
      "        - HTTP_PROXY=http://proxy:3128",
      "      install-url: https://example.com/install.sh",
      "      allow-removal: true",
      "      share-ca: true",
      "    tls-key-type: ecdsa",
      `    ttl: ${deadline.replace(".000Z", "Z")}`,
      "    idle: 90m",
      "    ttl-power-off: true",
      "    protect: true",
    ])
      assert.ok(printed.stdout.split("\n").includes(line), `${line} in ${printed.stdout}`);
    await write(shell, `machines:\n${printed.stdout}  up: {driver: none, url: "${engine.url}"}\n`, "full.yml");
    assert.match(await shell.ok("plan -f full.yml"), /^ {2}\* full +it exists, and is as the file says\n/u);
    for (const [from, to, why] of [
      ["idle: 90m", "idle: 2h", "idle is not 2h"],
      ["NO_PROXY=a,b", "NO_PROXY=c", "engine-env is otherwise in NO_PROXY"],
    ] as const) {
      await write(shell, `machines:\n${printed.stdout.replace(from, to)}`, "other.yml");
      assert.match(await shell.ok("plan -f other.yml"), new RegExp(`differs from it: ${why}`, "u"));
    }
    await shell.ok("apply -f full.yml --yes full");
    assert.match(await shell.ok("plan -f full.yml"), /^ {2}- down/u);
    await shell.ok("unprotect full");
    await shell.ok("rm -y full");
  });

  it("prints a machine that exists as it would stand in the file, and the next apply marks it", async () => {
    await shell.addRecord("box", boxRecord(await shell.recordText("seed")));
    await shell.ok("label box role=web");
    await shell.ok("protect seed");
    const box = await shell.ok("plan --import box");
    assert.equal(
      box,
      [
        "  box:",
        "    driver: generic",
        "    generic-ip-address: 192.0.2.30",
        "    generic-ssh-port: 2222",
        "    generic-ssh-user: deploy",
        "    engine:",
        '      version: "27.5"',
        "      opts:",
        "        - log-driver=local",
        "      labels:",
        "        - a=b",
        "    labels:",
        "      role: web",
        "",
      ].join("\n"),
    );
    const seed = await shell.ok("plan --import seed");
    await write(shell, `machines:\n${box}${seed}  up: {driver: none, url: "${engine.url}"}\n`);
    assert.match(await shell.ok("plan"), /^ {2}\* box seed {2}it exists, and is as the file says\n/u);
    const records = [await shell.recordText("box"), await shell.recordText("seed")];
    await shell.ok("apply --yes");
    assert.match(await shell.recordText("box"), /"Fleet": \{\s+"Name": "shop"/u);
    assert.notDeepEqual([await shell.recordText("box"), await shell.recordText("seed")], records);
    assert.match(await shell.ok("plan"), /down +it is in the file no more/u);
    assert.equal((await shell.run(["plan", "--import", "nobody"])).code, 4);
  });
});
