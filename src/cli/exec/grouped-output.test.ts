import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { foldNames, groupedLines, prefixesOf } from "./grouped-output.ts";

describe("foldNames", () => {
  it("folds the numbers at the end of names, as clush does", () => {
    assert.deepEqual(foldNames(["web-1", "web-2", "web-3", "web-5"]), ["web-[1-3,5]"]);
    assert.deepEqual(foldNames(["web-10", "web-9", "web-1"]), ["web-[1,9-10]"]);
    assert.deepEqual(foldNames(["n08", "n09", "n10", "n1"]), ["n[08-09]", "n[1,10]"]);
    assert.deepEqual(foldNames(["db", "web-1", "7", "8"]), ["db", "web-1", "[7-8]"]);
    assert.deepEqual(foldNames([]), []);
  });
});

describe("groupedLines", () => {
  it("shows equal outputs once, statuses apart", () => {
    const same = { status: 0, stdout: "6.1\n", stderr: "" };
    assert.deepEqual(
      groupedLines([
        { name: "web-1", ...same },
        { name: "db", status: 3, stdout: "", stderr: "gone\r\n" },
        { name: "web-2", ...same },
        { name: "web-3", ...same, status: 1 },
      ]),
      ["web-[1-2] (2):", "6.1", "db (1, status 3):", "gone", "web-3 (1, status 1):", "6.1"],
    );
  });
});

describe("prefixesOf", () => {
  it("has one width", () => {
    assert.deepEqual([...prefixesOf(["a", "web-1"]).values()], ["a     | ", "web-1 | "]);
  });
});
