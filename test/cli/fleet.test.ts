/** Machines from a file, by the program as it is, with the driver `none`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, it } from "node:test";
import { misfits, type Schema } from "../support/json-schema.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";
import { url, write } from "./fleet-records.ts";

const schema = (JSON.parse(readFileSync("docs/facts.schema.json", "utf8")) as Schema).properties ?? {};

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

  it("is about the machines that are named alone, and refuses those of others", async () => {
    assert.equal(await shell.ok("plan web-[2-3]"), "  + web-[2-3]  create: none\n2 to create.\n");
    const plan = JSON.parse(await shell.ok("--output json plan db")) as { summary: Record<string, number> };
    assert.deepEqual([plan.summary["mark"], plan.summary["create"], plan.summary["decisions"]], [1, 0, 0]);
    const said = async (words: string): Promise<readonly [number | null, string]> => {
      const { code, stdout, stderr } = await shell.run(words.split(" "));
      assert.equal(stdout, "", words);
      return [code, stderr.split("\n")[0] ?? ""];
    };
    const differs = '"other" was not made by this file, and differs from it: ';
    for (const words of ["plan other", "plan web-1 other", "drift other", "apply --yes other", "apply --yes web-1 other"]) {
      const [code, first] = await said(words);
      assert.deepEqual([code, first.startsWith(differs)], [1, true], `${words}: ${first}`);
    }
    assert.deepEqual(await said("plan --detailed-exitcode nobody"), [1, 'The fleet shop has no machine "nobody"']);
    assert.deepEqual(await said("drift nobody"), [4, 'The fleet shop has no machine "nobody"']);
    assert.deepEqual(await said("drift web-1"), [4, '"web-1" is not there yet']);
    assert.equal((await said("plan --import db web-1"))[0], 2);
    assert.equal((await said("apply --yes --replace db web-1"))[0], 2);
    assert.equal(await shell.ok("ls -q"), "db\nother\n");
  });

  it("says where the file is wrong", async () => {
    await write(shell, "machines:\n  a: {driver: none, ulr: x}\n", "wrong.yml");
    const { stderr } = await shell.run(["plan", "-f", "wrong.yml"]);
    assert.equal(stderr, 'wrong.yml:4:21: a has no key "ulr", and the driver none no such flag\nHint: Did you mean url?\n');
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

  it("saves a plan of some machines, and then does no more", async () => {
    await write(shell, machines("narrow", 2));
    assert.match(await shell.ok("plan web-2 --save one.plan"), /^ {2}~ web-2 .*\n1 to change\.\n$/u);
    assert.match(await shell.ok("apply --plan one.plan"), /^ {2}~ web-2 .*\n1 to change\.\n/u);
    assert.deepEqual([await shell.ok("label web-1"), await shell.ok("label web-2")], ["env=prod\n", "env=narrow\n"]);
    await write(shell, machines("prod", 2));
    assert.match(await shell.ok("apply --yes web-2"), /^ {2}~ web-2 .*\n1 to change\.\n/u);
    await writeFile(
      path.join(shell.folder, "work", "bad.plan"),
      (await readFile(path.join(shell.folder, "work", "one.plan"), "utf8")).replace('"web-2"', "2"),
    );
    assert.match((await shell.run(["apply", "--plan", "bad.plan"])).stderr, /^bad\.plan is no plan that this program saved\n/u);
    await write(shell, machines("other", 2));
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
