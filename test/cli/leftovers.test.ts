/** What a killed create leaves, as the user meets it: in `ls`, in `gc`, and gone once that is asked for. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import * as path from "node:path";
import { test } from "node:test";
import { goldenText } from "../../src/store/testing/records.ts";
import { openCommandLine, type CommandLine } from "./command-line.ts";

/** Two machines, of which the create of one was cut off in another process. */
async function withLeftover(): Promise<CommandLine> {
  const shell = await openCommandLine();
  for (const name of ["alpha", "beta2"]) await shell.addRecord(name, goldenText(name).replaceAll("/tmp/store", "STORE"));
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const entry = {
    command: "create",
    step: "instance",
    state: "begun",
    at: new Date().toISOString(),
    createId: "",
    process: { pid },
  };
  await writeFile(path.join(shell.store, "machines/beta2/journal.ndjson"), `${JSON.stringify(entry)}\n`);
  return shell;
}

test("ls says which machine was interrupted, where, and what to do", async () => {
  await using shell = await withLeftover();
  const errors = await shell.ok("ls -f {{.Name}}/{{.Error}}");
  assert.match(
    errors,
    /^beta2\/create was interrupted at "instance"; run docker-machine provision beta2 to go on, or docker-machine rm beta2$/mu,
  );
  const listed = JSON.parse(await shell.ok("ls --output json")) as { name: string; interrupted?: string }[];
  assert.deepEqual(
    listed.filter(({ interrupted }) => interrupted !== undefined).map(({ name }) => name),
    ["beta2"],
  );
});

test("gc lists it, asks before it removes it, and touches no other machine", async () => {
  await using shell = await withLeftover();
  const sentence = 'beta2: create was interrupted at "instance"\n';
  assert.equal(await shell.ok("gc"), sentence);
  const refused = await shell.run(["gc", "--remove"], { stdin: "n\n" });
  assert.deepEqual([refused.code, refused.stdout.startsWith(sentence)], [0, true]);
  assert.match(refused.stdout, /Remove the machines whose create or rm was interrupted\?/u);
  assert.equal(await shell.ok("ls -q"), "alpha\nbeta2\n");

  const removed = await shell.run(["gc", "--remove"], { stdin: "y\n" });
  assert.match(removed.stdout, /Successfully removed beta2\n$/u);
  assert.equal(await shell.ok("ls -q"), "alpha\n");
  assert.equal(await shell.ok("gc --remove -y"), "Nothing was left behind.\n");
});
