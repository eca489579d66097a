import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { byteLength, compareGoStrings, decodeGoString, encodeGoString, runeCount, toDisplayText } from "./go-string.ts";

const anyText = fc.uint8Array().map((bytes) => Buffer.from(bytes).toString("utf16le").toWellFormed());

describe("go strings", () => {
  test("any bytes survive decoding and encoding", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        assert.deepEqual(new Uint8Array(encodeGoString(decodeGoString(bytes))), bytes);
      }),
    );
  });

  test("valid UTF-8 decodes to the ordinary text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        assert.equal(decodeGoString(Buffer.from(text)), text);
        assert.equal(byteLength(text), Buffer.byteLength(text));
        assert.equal(runeCount(text), Array.from(text).length);
        assert.equal(toDisplayText(text), text);
      }),
    );
  });

  test("order is that of the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        assert.equal(compareGoStrings(decodeGoString(a), decodeGoString(b)), Buffer.compare(a, b));
      }),
    );
    assert.equal(compareGoStrings("\u{1f600}", "\uffee"), 1);
  });

  test("a byte outside UTF-8 counts as one byte and one rune, and shows as U+FFFD", () => {
    const text = decodeGoString(Uint8Array.of(0x61, 0xff, 0xc3));
    assert.deepEqual([byteLength(text), runeCount(text), toDisplayText(text)], [3, 3, "a\ufffd\ufffd"]);
  });
});
