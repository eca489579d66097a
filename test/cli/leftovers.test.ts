/** What a killed create leaves, as the user meets it: in `ls`, in `gc`, and gone once that is asked for. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
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

test("a create of a machine without SSH goes on from wherever it was killed, with what is asked for now", async () => {
  await using shell = await withLeftover();
  await shell.ok("create -d none --url tcp://127.0.0.1:5 beta2");
  assert.equal(await shell.ok("ip beta2"), "127.0.0.1:5\n");
});

test("an upkeep that failed does not offer to throw the machine away", async () => {
  await using shell = await withLeftover();
  const file = path.join(shell.store, "machines/beta2/journal.ndjson");
  const entry = JSON.parse(await readFile(file, "utf8")) as object;
  for (const command of ["provision", "upgrade", "regenerate-certs"]) {
    await writeFile(file, `${JSON.stringify({ ...entry, command, step: "certificates" })}\n`);
    const errors = await shell.ok("ls -f {{.Name}}/{{.Error}}");
    const wayOut = `run docker-machine ${command} beta2 to go on`;
    assert.match(errors, new RegExp(`^beta2/${command} was interrupted at "certificates"; ${wayOut}$`, "mu"));
  }
});

test("upkeep of a machine that cannot be reached leaves no mark on it", async () => {
  await using shell = await openCommandLine();
  await shell.ok("create -d none --url tcp://127.0.0.1:2 seed");
  const record = (await shell.recordText("seed")).replaceAll('"seed"', '"web"').replaceAll("machines/seed", "machines/web");
  await shell.addRecord("web", asGeneric(record));
  for (const words of ["regenerate-certs -f web", "provision web", "rm -y --restore web"]) {
    const { code } = await shell.run(words.split(" "), { env: { MACHINE_TIMEOUT_SSH_CONNECT: "1s", MACHINE_TIMEOUT_SSH: "1s" } });
    assert.notEqual(code, 0, words);
    assert.equal(await shell.ok("ls --filter name=web -f {{.Error}}"), "\n", words);
    assert.equal((await readdir(path.join(shell.store, "machines/web"))).includes("journal.ndjson"), false, words);
    assert.equal((await readdir(path.join(shell.store, "machines/web"))).includes("server.pem"), false, words);
  }
});

/** A machine whose SSH port answers nobody. */
function asGeneric(noneRecord: string): string {
  const record = JSON.parse(noneRecord) as { Driver: object; DriverName: string };
  const driver = { ...record.Driver, IPAddress: "127.0.0.1", SSHPort: 2, SSHUser: "root", EnginePort: 2376, SSHKey: "" };
  return JSON.stringify({ ...record, DriverName: "generic", Driver: driver });
}
