import assert from "node:assert/strict";
import { readFileSync, statSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { BoundedLog } from "./bounded-log.ts";
import { FakeClock } from "./fake-clock.ts";
import { temporaryFolder } from "./testing/folder.ts";

test("a log stays below its bound, keeps what was said last in whole lines, and is private", async () => {
  const file = path.join(temporaryFolder(), "a.log");
  {
    await using log = await BoundedLog.open(file, 1_000, new FakeClock());
    await log.say("first\nof all");
    assert.equal(readFileSync(file, "utf8"), "2026-01-02T03:04:05.000Z first of all\n");
    for (let index = 0; index < 100; index++) {
      await log.say(`line ${index}`);
      assert.ok(statSync(file).size <= 1_000);
    }
  }
  await using again = await BoundedLog.open(file, 1_000, new FakeClock());
  await again.say("later");
  const lines = readFileSync(file, "utf8").trim().split("\n");
  for (const line of lines) assert.match(line, /^2026-01-02T03:04:05\.000Z (?:line \d+|later)$/u);
  assert.deepEqual(
    lines.slice(-2).map((line) => line.split("Z ")[1]),
    ["line 99", "later"],
  );
  assert.equal(statSync(file).mode & 0o777, 0o600);
});
