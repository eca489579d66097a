import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readBool, readInt } from "./flag-text.ts";

describe("readBool", () => {
  it("knows Go's words and no others", () => {
    for (const word of ["1", "t", "TRUE"]) assert.deepEqual(readBool(word), { ok: true, value: true });
    for (const word of ["0", "f", "False"]) assert.deepEqual(readBool(word), { ok: true, value: false });
    assert.deepEqual(readBool("yes"), { ok: false, reason: 'strconv.ParseBool: parsing "yes": invalid syntax' });
  });
});

describe("readInt", () => {
  it("reads every integer that a number can hold, in three bases", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const [sign, magnitude] = [value < 0 ? "-" : "", Math.abs(value)];
        for (const text of [`${value}`, `${sign}0x${magnitude.toString(16)}`, `${sign}0${magnitude.toString(8)}`]) {
          assert.deepEqual(readInt(text), { ok: true, value }, text);
        }
      }),
    );
  });

  it("refuses what is no integer, and what does not fit", () => {
    assert.deepEqual(readInt("08"), { ok: false, reason: 'strconv.ParseInt: parsing "08": invalid syntax' });
    for (const text of ["9007199254740993", "9223372036854775808"]) {
      assert.deepEqual(readInt(text), { ok: false, reason: `strconv.ParseInt: parsing "${text}": value out of range` });
    }
  });
});
