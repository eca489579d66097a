import assert from "node:assert/strict";
import { it } from "node:test";
import { readSizeText } from "./size-text.ts";

it("reads sizes as people type them", () => {
  const read = (words: string): (number | undefined)[] => words.split(" ").map(readSizeText);
  assert.deepEqual(read("2048 2048MB 2GB 2g 4Gi 1.5G 8GiB 1t 512m"), [
    2048,
    2048,
    2048,
    2048,
    4096,
    1536,
    8192,
    1024 * 1024,
    512,
  ]);
  assert.equal(readSizeText("8 GB"), 8192);
});

it("refuses what is none", () => {
  for (const text of ["", "0", "-1", "2kb", "2GBs", "1e3", "0.3", "GB", "2 4", "9999999999999g", "2b"])
    assert.equal(readSizeText(text), undefined, text);
});
