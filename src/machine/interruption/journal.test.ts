import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test, type TestContext } from "node:test";
import { systemClock } from "../../system/clock.ts";
import { Journal, readJournal } from "./journal.ts";

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), "journal-"));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

async function open(machineDir: string, createId = "", whenFull?: "go-on"): Promise<Journal> {
  return await Journal.open({ machineDir, command: "create", createId, clock: systemClock, whenFull });
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
