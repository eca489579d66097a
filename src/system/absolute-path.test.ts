import assert from "node:assert/strict";
import * as path from "node:path";
import { it } from "node:test";
import { absolutePath } from "./absolute-path.ts";

it("a path stands where Node's own resolution has it", () => {
  const texts = [
    "/a/b",
    "/a/.b",
    "/a/..b/...",
    "/",
    "/a/",
    "/a//b",
    "/a/./b",
    "/a/../b",
    "/a/..",
    "/a/.",
    "a/b",
    ".",
    "..",
    "",
    "/a b/ü\n",
  ];
  for (const text of texts) assert.equal(absolutePath("/here", text), path.resolve("/here", text), text);
});
