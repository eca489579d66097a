import assert from "node:assert/strict";
import { it } from "node:test";
import { wrap } from "./wrap.ts";

it("breaks between words, and nowhere else", () => {
  assert.deepEqual(wrap("a bc def".split(" "), 4), ["a bc", "def"]);
  assert.deepEqual(wrap("a bc def".split(" "), 3), ["a", "bc", "def"]);
  assert.deepEqual(wrap("a longest b".split(" "), 4), ["a", "longest", "b"]);
  assert.deepEqual(wrap("a  b".split(" "), 4), ["a  b"]);
  assert.deepEqual(wrap(["🐳🐳", "🐳"], 4), ["🐳🐳 🐳"]);
  assert.deepEqual(wrap([], 4), []);
});
