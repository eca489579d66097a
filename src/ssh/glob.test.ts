import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { matchesFileGlob, matchesWildcards } from "./glob.ts";

test("wildcards agree with the same pattern as a regular expression", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 6 });
  const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 6 });
  fc.assert(
    fc.property(letters, text, (pattern, name) => {
      const expression = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`, "su");
      assert.equal(matchesWildcards(pattern, name), expression.test(name));
    }),
    { numRuns: 2_000 },
  );
});

test("file patterns know classes and leave hidden names alone", () => {
  const names = ["a.log", "b.log", ".c.log", "a[1]", "a1", "]"];
  const fitting = (pattern: string): string[] => names.filter((name) => matchesFileGlob(pattern, name));
  assert.deepEqual(fitting("*.log"), ["a.log", "b.log"]);
  assert.deepEqual(fitting(".*"), [".c.log"]);
  assert.deepEqual(fitting("[ab].log"), ["a.log", "b.log"]);
  assert.deepEqual(fitting("[!a].log"), ["b.log"]);
  assert.deepEqual(fitting("a[0-9]"), ["a1"]);
  assert.deepEqual(fitting("a[[]1]"), ["a[1]"]);
  assert.deepEqual(fitting("[]]"), ["]"]);
});

test("a pattern of many stars takes no time", () => {
  const started = performance.now();
  assert.equal(matchesWildcards(`${"*a".repeat(30)}b`, "a".repeat(64)), false);
  assert.ok(performance.now() - started < 500);
});
