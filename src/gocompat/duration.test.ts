import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { assertSameAsGo, goVectors } from "../../test/support/go-vectors.ts";
import { formatDuration, parseDuration } from "./duration.ts";

describe("durations", () => {
  test("are written as Go writes them", () => {
    assertSameAsGo(goVectors("duration", "formatDuration"), ({ nanoseconds }) => formatDuration(BigInt(String(nanoseconds))));
  });

  test("are read as Go reads them, errors included", () => {
    assertSameAsGo(goVectors("duration", "parseDuration"), ({ text }) => String(parseDuration(String(text))));
  });

  test("what is written reads back as the same", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 50n), max: 2n ** 50n }), (nanoseconds) => {
        assert.equal(parseDuration(formatDuration(nanoseconds)), nanoseconds);
      }),
    );
  });
});
