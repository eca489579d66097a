import assert from "node:assert/strict";
import { test } from "node:test";
import { oneLine, withoutControls } from "./plain-text.ts";

test("what moves, hides or reorders is shown as a sign, and lines stay lines", () => {
  assert.equal(
    withoutControls("a\u001B[2Jb\u009B1Ac\r\nd\te\u0000\u007F\u202Ef\u2066\u2028"),
    "a\uFFFD[2Jb\uFFFD1Ac\nd\te\uFFFD\uFFFD\uFFFDf\uFFFD\uFFFD",
  );
  assert.equal(withoutControls("over\rwritten"), "over\uFFFDwritten");
  for (const text of ["é 日本 😀 –", "C:\\x \"y\" 'z'", ""]) assert.equal(withoutControls(text), text);
});

test("one line is one, and bounded", () => {
  assert.equal(oneLine("1.2\nweb2   *\r\n\tRunning"), "1.2 web2   * Running");
  assert.equal(oneLine("x".repeat(100_000)).length, 501);
});
