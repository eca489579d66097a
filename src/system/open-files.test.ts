import assert from "node:assert/strict";
import { test } from "node:test";
import { placesWithin } from "./open-files.ts";

const limits = (soft: string): string =>
  `Limit  Soft Limit  Hard Limit  Units\nMax open files            ${soft}                 64   files\n`;

test("so much goes on at once as there is room for, and one thing in any case", () => {
  assert.equal(placesWithin(limits("64"), 64, 4), 8);
  assert.equal(placesWithin(limits("20"), 64, 4), 1);
  assert.equal(placesWithin(limits("1024"), 64, 4), 64);
  assert.equal(placesWithin(limits("unlimited"), 64, 4), 64);
  assert.equal(placesWithin("", 64, 4), 64);
});
