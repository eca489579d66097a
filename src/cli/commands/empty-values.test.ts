import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { FakeRun } from "../testing/fake-main.ts";

test("an empty value, as of a variable that is not set, is not taken for a flag that was not given", async () => {
  const env = { MACHINE_STORAGE_PATH: path.join(temporaryFolder(), "store") };
  for (const [words, message] of [
    [["upgrade", "--to", "", "web"], /--to "" is no version/u],
    [["apply", "--yes", "--plan", ""], /--plan names no file/u],
  ] as const) {
    const { code, stderr } = await new FakeRun({ env }).main(...words);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
});
