import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { goQuote, parseGoBool, parseGoInt } from "./go-values.ts";

describe("parseGoBool", () => {
  it("knows Go's words and no others", () => {
    for (const word of ["1", "t", "T", "TRUE", "true", "True"]) assert.deepEqual(parseGoBool(word), { ok: true, value: true });
    for (const word of ["0", "f", "F", "FALSE", "false", "False"])
      assert.deepEqual(parseGoBool(word), { ok: true, value: false });
    assert.deepEqual(parseGoBool("yes"), { ok: false, reason: 'strconv.ParseBool: parsing "yes": invalid syntax' });
    assert.equal(parseGoBool("toString").ok, false);
  });
});

describe("parseGoInt", () => {
  it("reads every integer that a number can hold, in three bases", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const sign = value < 0 ? "-" : "";
        const magnitude = Math.abs(value);
        for (const text of [`${value}`, `${sign}0x${magnitude.toString(16)}`, `${sign}0${magnitude.toString(8)}`]) {
          assert.deepEqual(parseGoInt(text), { ok: true, value }, text);
        }
      }),
    );
  });

  it("refuses what is no integer, and what does not fit", () => {
    for (const text of ["", "x", "1.5", "08", "0x", "--1", " 1", "1e3", "+"]) {
      assert.deepEqual(parseGoInt(text), { ok: false, reason: `strconv.ParseInt: parsing "${text}": invalid syntax` });
    }
    assert.deepEqual(parseGoInt("9223372036854775808"), {
      ok: false,
      reason: 'strconv.ParseInt: parsing "9223372036854775808": value out of range',
    });
  });
});

describe("goQuote", () => {
  it("escapes as Go does", () => {
    assert.equal(goQuote('a"b\\c'), '"a\\"b\\\\c"');
    assert.equal(goQuote("\u0007\b\f\n\r\t\v\u0000\u007f"), '"\\a\\b\\f\\n\\r\\t\\v\\x00\\x7f"');
    assert.equal(goQuote("grüße 日本 😀"), '"grüße 日本 😀"');
    assert.equal(goQuote("\u200b\u{e0001}"), '"\\u200b\\U000e0001"');
  });
});
