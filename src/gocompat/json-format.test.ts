import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { assertSameAsGo, decodeInput, goVectors } from "../../test/support/go-vectors.ts";
import { goJson } from "./json-format.ts";

const anyCharacter = fc.oneof(
  fc.constantFrom("<", "&", "\u2028", "\0", "\x7f", "é", "\u{1f600}"),
  fc.nat(0xd7ff).map((unit) => String.fromCharCode(unit)),
);

describe("JSON as Go writes it", () => {
  test("compact and indented", () => {
    assertSameAsGo(goVectors("json", "json"), ({ data }) => goJson(decodeInput(data)));
    assertSameAsGo(goVectors("json", "prettyjson"), ({ data }) => goJson(decodeInput(data), "    "));
  });

  test("is JSON with the same meaning", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: anyCharacter }), fc.constantFrom("", "  "), (data, indent) => {
        assert.deepEqual(JSON.parse(goJson(data, indent)), data);
      }),
    );
  });

  test("half a surrogate pair is U+FFFD", () => {
    assert.equal(goJson("a\ud800b"), '"a\ufffdb"');
  });
});
