/** Machines from a file, by the program as it is, with the driver `none`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { after, before, describe, it } from "node:test";
import { misfits, type Schema } from "../support/json-schema.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";

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
