import assert from "node:assert/strict";
import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test, type TestContext } from "node:test";
import { systemClock } from "../../system/clock.ts";
import { FileStore } from "../../store/file-store.ts";
import { findInterruption, whatHappened } from "./interrupted.ts";
import { Journal, readJournal } from "./journal.ts";

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), "journal-"));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

async function open(machineDir: string, createId = "", whenFull?: "go-on"): Promise<Journal> {
  return await Journal.open({
    machineDir,
    command: "create",
    createId,
    by: "alice@laptop",
    publish: async () => {},
    clock: systemClock,
    whenFull,
  });
}

test("an intent stands on disk while the work is done", async (t) => {
  const dir = await folder(t);
  const journal = await open(dir, "id-1");
  await journal.step("instance", async () => {
    const reading = await readJournal(dir);
    assert.equal(reading?.has("instance", "begun"), true);
    assert.equal(reading.has("instance", "done"), false);
    assert.equal(reading.active, true);
    assert.equal(reading.createId, "id-1");
  });
  assert.equal((await readJournal(dir))?.lastState, "done");
  await journal.close();
  assert.equal(await readJournal(dir), undefined);
});

test("failed work leaves its intent", async (t) => {
  const dir = await folder(t);
  const journal = await open(dir);
  await assert.rejects(journal.step("provision", async () => await Promise.reject(new Error("no"))));
  const reading = await readJournal(dir);
  assert.deepEqual([reading?.lastStep, reading?.lastState, reading?.active], ["provision", "failed", false]);
  assert.equal(reading?.has("provision", "begun"), true);
});

test("a line that a crash tore apart is passed over", async (t) => {
  const dir = await folder(t);
  const journal = await open(dir);
  await journal.step("record", async () => {});
  await appendFile(path.join(dir, "journal.ndjson"), '{"command":"create","st');
  assert.equal((await readJournal(dir))?.lastStep, "record");
  await journal.step("instance", async () => {});
  assert.equal((await readJournal(dir))?.has("instance", "begun"), true, "what is noted behind it is read");
});

test("a step goes on without its note only where that was asked for", async (t) => {
  // A note that cannot be written for lack of space is what /dev/full is for.
  const dir = await folder(t);
  await symlink("/dev/full", path.join(dir, "journal.ndjson"));
  const steps: string[] = [];
  await assert.rejects(
    (await open(dir)).step("provision", async () => void steps.push("strict")),
    { code: "disk-full" },
  );
  await (await open(dir, "", "go-on")).step("remove-instance", async () => void steps.push("lenient"));
  assert.deepEqual(steps, ["lenient"]);
});

test("of a process on another computer nothing is said here: its machine's lock tells whether it goes on", async (t) => {
  const store = new FileStore(await folder(t), systemClock);
  await mkdir(store.machineDir("web"), { recursive: true });
  const journal = await open(store.machineDir("web"));
  await journal.step("record", async () => {});
  const file = path.join(store.machineDir("web"), "journal.ndjson");
  const lines = (await readFile(file, "utf8")).replaceAll(/"computer":"\w+"/gu, '"computer":"0123456789abcdef"');
  await writeFile(file, lines);
  const reading = await readJournal(store.machineDir("web"));
  assert.deepEqual([reading?.active, reading?.elsewhere], [false, "alice@laptop"]);
  const lock = await store.lockMachine("web", { purpose: "create web", waitMs: 0 });
  assert.equal(await findInterruption(store, "web"), undefined, "its holder is at work");
  await lock.release();
  const found = await findInterruption(store, "web");
  assert.equal(found && whatHappened(found), 'create (alice@laptop) was interrupted at "record"');
});

test("each line is made known after it stands on disk, and before the effect that it announces", async (t) => {
  const dir = await folder(t);
  const seen: string[] = [];
  const publish = async (): Promise<void> => {
    const reading = await readJournal(dir);
    seen.push(`${reading?.lastStep} ${reading?.lastState}`);
  };
  const options = { machineDir: dir, command: "create", createId: "", by: "alice@laptop", clock: systemClock } as const;
  const journal = await Journal.open({ ...options, publish });
  await journal.step("instance", async () => void seen.push("effect"));
  assert.deepEqual(seen, ["instance begun", "effect", "instance done"]);
  const cut = await Journal.open({ ...options, publish: async () => await Promise.reject(new Error("away")) });
  await assert.rejects(
    cut.step("provision", async () => void seen.push("late")),
    /away/u,
  );
  assert.equal(seen.length, 3, "what cannot be announced is not done");
});

test("a journal whose process is gone is not active", async (t) => {
  const dir = await folder(t);
  const journal = await open(dir);
  await journal.step("record", async () => {});
  const file = path.join(dir, "journal.ndjson");
  const lines = (await readFile(file, "utf8")).replaceAll(`"pid":${process.pid}`, '"pid":4194399');
  await rm(file);
  await appendFile(file, lines);
  assert.equal((await readJournal(dir))?.active, false);
});
