import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { LineSplitter } from "./line-splitter.ts";

test("lines are the same however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme" }).map((line) => line.replaceAll(/[\r\n]/gu, ""))),
      fc.integer({ min: 1, max: 9 }),
      (lines, size) => {
        const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(""));
        const seen: string[] = [];
        const splitter = new LineSplitter((line) => seen.push(line));
        for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
        splitter.end();
        assert.deepEqual(seen, lines);
      },
    ),
  );
});

test("a line that is too long comes in pieces, told as such, and the last one without its line feed", () => {
  const seen: [string, boolean][] = [];
  const splitter = new LineSplitter((line, isWhole) => seen.push([line, isWhole]), 4);
  const pieces: [string, boolean][] = [
    ["0123", false],
    ["4567", false],
  ];
  splitter.push(Buffer.from("0123456789"));
  assert.deepEqual(seen, pieces);
  splitter.push(Buffer.from("\r\nabcde\nend"));
  splitter.end();
  splitter.end();
  assert.deepEqual(seen, [...pieces, ["89", false], ["abcd", false], ["e", false], ["end", true]]);
});
