/** Machines from a file, by the program as it is, with the driver `none`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, it } from "node:test";
import { misfits, type Schema } from "../support/json-schema.ts";
import type { FakeEngine } from "../../src/engine/fake-engine.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";
import { engineFor } from "./engine-fixture.ts";

const schema = (JSON.parse(readFileSync("docs/facts.schema.json", "utf8")) as Schema).properties ?? {};

async function write(shell: CommandLine, text: string, name = "machines.yml"): Promise<void> {
  await writeFile(path.join(shell.folder, "work", name), `version: 1\nfleet: shop\n${text}`);
}

const url = (last: number): string => `"tcp://192.0.2.${last}:2376"`;

describe("plan", () => {
  let shell: CommandLine;
  before(async () => {
    shell = await openCommandLine();
    await shell.ok("create -d none --url tcp://192.0.2.9:2376 db");
    await shell.ok("create -d none --url tcp://192.0.2.8:2376 other");
    await write(
      shell,
      `defaults: {driver: none}\nmachines:\n  web-[1-3]: {url: ${url(1)}}\n  db: {url: ${url(9)}}\n  other: {url: ${url(7)}}\n`,
    );
  });
  after(async () => await shell[Symbol.asyncDispose]());

  it("shows what is made, marked and not touched, and changes nothing", async () => {
    const records = [await shell.recordText("db"), await shell.recordText("other")];
    const shown = await shell.ok("plan");
    assert.equal(
      shown,
      [
        "  + web-[1-3]  create: none",
        "  * db         it exists, and is as the file says",
        '  ? other      not touched: it was not made by this file, and differs from it: url is "tcp://192.0.2.8:2376", not "tcp://192.0.2.7:2376"',
        "3 to create, 1 to mark, 1 needs a decision.",
        "",
      ].join("\n"),
    );
    assert.deepEqual([await shell.recordText("db"), await shell.recordText("other")], records);
    assert.equal(await shell.ok("ls -q"), "db\nother\n");
  });

  it("prints one value for programs", async () => {
    const plan = JSON.parse(await shell.ok("--output json plan")) as { machines: { name: string; action: string }[] };
    assert.deepEqual(misfits(plan, schema["plan"] ?? {}), []);
    assert.deepEqual(
      plan.machines.map(({ name, action }) => `${name} ${action}`),
      ["web-1 create", "web-2 create", "web-3 create", "db mark", "other refuse"],
    );
  });

  it("ends with 0, 2 and 1 where that is asked for, and with the usual status where not", async () => {
    const code = async (words: string): Promise<number | null> => (await shell.run(words.split(" "))).code;
    await write(shell, "machines: {}\n", "empty.yml");
    await write(shell, "machnes: {}\n", "wrong.yml");
    assert.equal(await code("plan"), 0);
    assert.equal(await code("plan --detailed-exitcode"), 2);
    assert.equal(await code("plan --detailed-exitcode -f empty.yml"), 0);
    assert.equal(await code("plan --detailed-exitcode -f wrong.yml"), 1);
    assert.equal(await code("plan --detailed-exitcode -f none.yml"), 1);
    assert.equal(await code("plan -f none.yml"), 2);
    assert.equal(await code("plan --detailed-exitcode --nope"), 1);
    assert.equal(await code("plan --nope"), 2);
    assert.equal(await code("plan --detailed-exitcode superfluous"), 1);
  });

  it("says where the file is wrong", async () => {
    await write(shell, "machines:\n  a: {driver: none, ulr: x}\n", "wrong.yml");
    const { stderr } = await shell.run(["plan", "-f", "wrong.yml"]);
    assert.equal(stderr, 'wrong.yml:4:21: a has no key "ulr", and the driver none no such flag\nHint: Did you mean url?\n');
  });
});

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
      'machines.yml:4:3: "a" can never be what this says: --url option is required when no driver is selected\n',
    );
    assert.equal((await shell.run(["apply", "--yes"])).code, 1);
    assert.match(
      await refused(`  a: {${box}}\n  b: {driver: generic, generic-ip-address: "root@192.0.2.8"}`),
      /^machines\.yml:5:24: "b" can never be .*\nHint: Give the address alone: --generic-ip-address 192\.0\.2\.8 --generic-ssh-user root\n$/u,
    );
    assert.match(
      await refused(`  a: {${box}, generic-ssh-port: 70000}`),
      /^machines\.yml:4:\d\d: .*70000 is not a port number\n$/u,
    );
  });

  it("is refused for a time that nothing could end", async () => {
    assert.match(
      await refused(`  a: {driver: none, url: ${url(1)}, ttl: 4h}`),
      /^machines\.yml:4:50: "a" can never be what this says: "a" is not provisioned/u,
    );
    assert.match(await refused(`  a: {${box}, idle: 2h}`), /^machines\.yml:4:\d\d: .*\nHint: .*--ttl-power-off/u);
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
    await shell.ok("rm --yes box seed");
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

describe("apply", () => {
  let shell: CommandLine;
  const machines = (label: string, last: number): string =>
    `defaults: {driver: none, labels: {env: ${label}}}\nmachines:\n  web-[1-${last}]: {url: ${url(1)}}\n`;
  before(async () => void (shell = await openCommandLine()));
  after(async () => await shell[Symbol.asyncDispose]());

  it("knows no machine that neither the file nor the fleet has", async () => {
    await write(shell, machines("prod", 3));
    for (const words of ["apply --yes nope", "apply --yes --replace nope"])
      assert.equal((await shell.run(words.split(" "))).code, 4, words);
  });

  it("asks, and does nothing for a no or where nobody answers", async () => {
    await write(shell, machines("prod", 3));
    const no = await shell.run(["apply"], { stdin: "n\n" });
    assert.deepEqual([no.code, no.stdout.split("\n").slice(0, 2)], [0, ["  + web-[1-3]  create: none", "3 to create."]]);
    const nobody = await shell.run(["apply"]);
    assert.equal(nobody.code, 2);
    assert.match(nobody.stderr, /Nobody answered whether to apply that\nHint: .*--yes/u);
    assert.equal(await shell.ok("ls -q"), "");
  });

  it("makes the machines, and then there is nothing to do", async () => {
    const shown = await shell.ok("apply --yes");
    assert.match(shown, /\n3 of 3 applied to the fleet shop\.\n$/u);
    assert.equal(await shell.ok("ls -q"), "web-1\nweb-2\nweb-3\n");
    assert.equal(await shell.ok("apply"), "Nothing to do: 3 machines of the fleet shop are as the file says.\n");
  });

  it("says what it does as lines of NDJSON", async () => {
    await write(shell, machines("test", 2));
    const line = JSON.parse(readFileSync("docs/output.schema.json", "utf8")) as Schema;
    const lines = (await shell.ok("--output json apply --yes --prune")).trimEnd().split("\n");
    const events = lines.map((each) => JSON.parse(each) as { type: string; machine?: string; action?: string });
    for (const event of events) assert.deepEqual(misfits(event, line), []);
    const of = (type: string): string[] =>
      events.flatMap((event) => (event.type === type ? [`${event.machine} ${event.action}`] : [])).toSorted();
    assert.deepEqual(of("machine-planned"), ["web-1 change", "web-2 change", "web-3 remove"]);
    assert.deepEqual(of("machine-applied"), of("machine-planned"));
  });

  it("does what a saved plan says, once, and refuses one that is stale", async () => {
    await write(shell, machines("prod", 2));
    await shell.ok("plan --save a.plan");
    await shell.ok("plan --save b.plan");
    await shell.ok("apply --plan a.plan");
    const again = await shell.run(["apply", "--plan", "b.plan"]);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^Machines have changed since the plan was saved: web-1, web-2\n/u);
    await shell.ok("plan --save c.plan");
    await write(shell, machines("other", 2));
    const changed = await shell.run(["apply", "--plan", "c.plan"]);
    assert.match(changed.stderr, /^machines\.yml has changed since the plan was saved\n/u);
    const none = await shell.run(["apply", "--plan", "machines.yml"]);
    assert.match(none.stderr, /^machines\.yml is no plan that this program saved\n/u);
  });

  it("refuses a file that was changed while it asked", async () => {
    const child = shell.start(["apply"]);
    const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
    let [said, complained] = ["", ""];
    child.stderr.on("data", (chunk: Buffer) => (complained += chunk.toString()));
    for await (const chunk of child.stdout) {
      said += String(chunk);
      if (!said.endsWith("(y/n): ")) continue;
      await write(shell, machines("sly", 2));
      child.stdin.end("y\n");
    }
    assert.equal(await ended, 1);
    assert.match(complained, /machines\.yml has changed since it was read/u);
    assert.equal(await shell.ok("label web-1"), "env=prod\n");
  });

  it("tells what would be lost before it asks, and what is protected stays", async () => {
    await write(shell, machines("prod", 1));
    await shell.ok("apply --yes");
    const asked = await shell.run(["apply", "--prune", "--replace", "web-1"], { stdin: "n\n" });
    assert.match(
      asked.stdout,
      /1 to replace, 1 to remove\.\nWARNING: The machines web-1, web-2 and all that is on them will be gone\.\n/u,
    );
    await shell.ok("protect web-1 web-2");
    const kept = await shell.run(["apply", "--yes", "--replace", "web-1"]);
    assert.match(kept.stderr, /"web-1" is protected, so that it is not replaced/u);
    assert.match(await shell.ok("apply --yes --prune"), /web-2 +it is in the file no more\n +kept: it is protected\n/u);
    assert.equal(await shell.ok("ls -q"), "web-1\nweb-2\n");
  });

  it("is undone by destroy, which wants to hear the fleet's name", async () => {
    await shell.ok("create -d none --url tcp://192.0.2.5:2376 mine");
    const kept = await shell.run(["destroy", "--fleet", "shop"], { stdin: "shop\n" });
    assert.match(kept.stderr, /^Machines of the fleet "shop" are protected: web-1, web-2\n/u);
    await shell.ok("unprotect web-1 web-2");
    assert.equal(await shell.ok("__complete -- destroy --fleet s"), ":\nshop\n");
    assert.equal((await shell.run(["destroy", "--fleet", "shop"], { stdin: "y\n" })).code, 2);
    assert.equal((await shell.run(["destroy", "--fleet", "shop"])).code, 2);
    assert.equal((await shell.run(["destroy", "--fleet", "shp"])).code, 4);
    assert.equal((await shell.run(["destroy"])).code, 2);
    const done = await shell.run(["destroy", "--fleet", "shop"], { stdin: "shop\n" });
    assert.deepEqual([done.code, await shell.ok("ls -q")], [0, "mine\n"], done.stderr);
  });
});

/** A box that was adopted with more than its defaults, made from the record of `seed`. */
function boxRecord(seed: string): string {
  const record = JSON.parse(seed.replaceAll("/machines/seed", "/machines/box")) as {
    Driver: object;
    HostOptions: { EngineOptions: object };
  };
  const engine = { ...record.HostOptions.EngineOptions, ArbitraryFlags: ["log-driver=local"], Labels: ["a=b"] };
  const own = { EnginePort: 2376, SSHKey: "", IPAddress: "192.0.2.30", SSHUser: "deploy", SSHPort: 2222, SSHKeyPath: "" };
  return JSON.stringify({
    ...record,
    Name: "box",
    DriverName: "generic",
    Driver: { ...record.Driver, ...own, MachineName: "box" },
    HostOptions: { ...record.HostOptions, EngineOptions: engine },
    Extra: { EngineVersion: "27.5" },
  });
}

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
    await shell.ok("apply --yes down");
    const seen = await shell.run(["drift", "--detailed-exitcode"]);
    assert.equal(seen.code, 1);
    assert.match(seen.stdout, /^ {2}\? down {2}unknown: Unable to query docker version: .*\n1 could not be looked at\.\n$/u);
    assert.equal((await shell.run(["drift"])).code, 1);
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
