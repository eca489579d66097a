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

test("a line without end comes in pieces, and the last one without its line feed", () => {
  const seen: string[] = [];
  const splitter = new LineSplitter((line) => seen.push(line), 4);
  splitter.push(Buffer.from("0123456789"));
  assert.deepEqual(seen, ["0123", "4567"]);
  splitter.push(Buffer.from("\r\nend"));
  splitter.end();
  splitter.end();
  assert.deepEqual(seen, ["0123", "4567", "89", "end"]);
});
