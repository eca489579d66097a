import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { hasDeadHolder, lockFile } from "./file-lock.ts";
import { temporaryFolder } from "./testing/folder.ts";
import { isLongRun, runtimes } from "./testing/runtimes.ts";
import { TestProcess } from "./testing/test-process.ts";

const program = path.join(import.meta.dirname, "testing/lock-program.ts");
const options = { what: "the thing", purpose: "test", waitMs: 0 };

function lockPath(): string {
  return path.join(temporaryFolder(), "thing.lock");
}

for (const holderRuntime of runtimes) {
  test(`a lock that ${holderRuntime.name} holds is nobody else's, until the holder is killed`, async () => {
    const file = lockPath();
    const holder = new TestProcess(holderRuntime, program, ["hold", file]);
    await holder.started();
    assert.deepEqual(fs.readdirSync(path.dirname(file)).toSorted(), ["thing.lock", "thing.lock.holder"]);
    const message = `in use by docker-machine hold (process ${holder.pid})`;
    await assert.rejects(lockFile(file, options), { code: "machine-busy", message: `the thing is ${message}` });
    for (const runtime of runtimes) {
      const other = await new TestProcess(runtime, program, ["hold", file]).finish();
      assert.equal(other.status, 1);
      assert.match(other.stderr, new RegExp(message.replace(/[()]/gu, "\\$&"), "u"));
    }
    await holder.kill();
    await using _lock = await lockFile(file, options);
    assert.equal(fs.statSync(file).size, 0);
  });
}

test("the note of a holder that was killed names nobody", async () => {
  const file = lockPath();
  const first = new TestProcess({ name: "node", program: process.execPath }, program, ["hold", file]);
  await first.started();
  await first.kill();
  const note = fs.readFileSync(`${file}.holder`, "utf8");
  await using _lock = await lockFile(file, options);
  fs.writeFileSync(`${file}.holder`, note);
  await assert.rejects(lockFile(file, options), { message: "the thing is in use by another docker-machine process" });
});

test("a note that its writer was killed over is a dead holder's; one that is being written is in the way of nobody", async () => {
  const file = lockPath();
  for (const [text, isDead] of [
    ["", true],
    [`${process.pid}`, true],
    [`${process.pid} thi`, true],
    [`${process.pid} this\n`, false],
  ] as const) {
    fs.writeFileSync(`${file}.holder`, text);
    assert.equal(await hasDeadHolder(file), isDead, JSON.stringify(text));
  }
  fs.rmSync(`${file}.holder`);
  assert.equal(await hasDeadHolder(file), false);
});

test("only one process at a time is in, whichever runtime, also while lock files are removed", async () => {
  const [processes, rounds] = isLongRun ? [32, 100] : [4, 10];
  const folder = temporaryFolder();
  const [file, counter] = [path.join(folder, "thing.lock"), path.join(folder, "counter")];
  fs.writeFileSync(counter, "0");
  const started = Array.from({ length: processes }, (_, index) => {
    const runtime = runtimes[index % runtimes.length];
    assert.ok(runtime);
    return new TestProcess(runtime, program, ["count", file, counter, String(rounds)]);
  });
  for (const each of started) assert.deepEqual(await each.finish(), { status: 0, signal: null, stdout: "", stderr: "" });
  assert.equal(fs.readFileSync(counter, "utf8"), String(processes * rounds));
});

test("a released lock leaves its file, unless that is obsolete", async () => {
  const file = lockPath();
  await (await lockFile(file, options)).release();
  assert.deepEqual(fs.readdirSync(path.dirname(file)), ["thing.lock"]);
  await (await lockFile(file, options, async () => true)).release();
  assert.deepEqual(fs.readdirSync(path.dirname(file)), []);
  const failing = await lockFile(file, options, () => Promise.reject(new Error("unreadable")));
  await failing.release();
  await using _lock = await lockFile(file, options);
});

test("a lock file that cannot be opened is one clear sentence", async () => {
  const file = path.join(temporaryFolder(), "missing", "thing.lock");
  await assert.rejects(lockFile(file, options), {
    code: "store-unusable",
    message: `Cannot write ${file}: a folder of its path does not exist`,
  });
});
