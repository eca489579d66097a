import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { test, type TestContext } from "node:test";
import { systemClock } from "../system/clock.ts";
import { Journal, readJournal } from "./journal.ts";

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(path.join(tmpdir(), "journal-"));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

test("an intent stands on disk while the work is done", async (t) => {
  const dir = await folder(t);
  const journal = await Journal.open(dir, "create", "id-1", systemClock);
  await journal.step("instance", async () => {
    const reading = await readJournal(dir);
    assert.equal(reading?.has("instance", "begun"), true);
    assert.equal(reading.has("instance", "done"), false);
    assert.equal(reading.active, true);
    assert.equal(reading.createId, "id-1");
  });
  assert.equal((await readJournal(dir))?.lastStepDone, true);
  await journal.close();
  assert.equal(await readJournal(dir), undefined);
});

test("failed work leaves its intent", async (t) => {
  const dir = await folder(t);
  const journal = await Journal.open(dir, "create", "", systemClock);
  await assert.rejects(journal.step("provision", async () => await Promise.reject(new Error("no"))));
  const reading = await readJournal(dir);
  assert.deepEqual([reading?.lastStep, reading?.lastStepDone], ["provision", false]);
});

test("a line that a crash tore apart is passed over", async (t) => {
  const dir = await folder(t);
  const journal = await Journal.open(dir, "create", "", systemClock);
  await journal.step("record", async () => {});
  await appendFile(path.join(dir, "journal.ndjson"), '{"command":"create","st');
  assert.equal((await readJournal(dir))?.lastStep, "record");
});

test("a journal whose process is gone is not active", async (t) => {
  const dir = await folder(t);
  const journal = await Journal.open(dir, "create", "", systemClock);
  await journal.step("record", async () => {});
  const file = path.join(dir, "journal.ndjson");
  const lines = (await readFile(file, "utf8")).replaceAll(`"pid":${process.pid}`, '"pid":4194399');
  await rm(file);
  await appendFile(file, lines);
  assert.equal((await readJournal(dir))?.active, false);
});
