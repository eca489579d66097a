import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { assertSameAsGo, decodeInput, goVectors, type GoVector } from "../../test/support/go-vectors.ts";
import { MachineError } from "../errors/machine-error.ts";
import { formatFloat, type FloatFormat } from "./float.ts";
import { decodeGoString } from "./go-string.ts";
import { quote, unquote } from "./quote.ts";
import { atoi, parseBool, parseFloat64, parseInt64 } from "./strconv.ts";
import { goValue } from "./value.ts";

function textOf({ text }: GoVector): string {
  return goValue(decodeInput(text))?.text ?? "";
}

function fromBits(bits: unknown): number {
  return Buffer.from(String(bits), "hex").readDoubleBE();
}

function toBits(value: number): string {
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(value);
  // Go's NaN has another payload than JavaScript's.
  return Number.isNaN(value) ? "7ff8000000000001" : bits.toString("hex");
}

describe("strconv", () => {
  test("FormatFloat answers as Go does", () => {
    assertSameAsGo(goVectors("float", "formatFloat"), ({ bits, format, precision }) =>
      formatFloat(fromBits(bits), format as FloatFormat, Number(precision)),
    );
  });

  test("the shortest form of a float reads back as the same number", () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true }),
        fc.constantFrom("e", "f", "g", "x") as fc.Arbitrary<FloatFormat>,
        (value, format) => {
          // Hexadecimal forms of subnormal numbers are read with rounding.
          fc.pre(format !== "x" || Math.abs(value) > 1e-300 || value === 0);
          assert.ok(Object.is(parseFloat64(formatFloat(value, format, -1)), value));
        },
      ),
    );
  });

  test("quoting answers as Go does", () => {
    assertSameAsGo(goVectors("strconv", "quote"), (vector) => quote(textOf(vector)));
    assertSameAsGo(goVectors("strconv", "quoteAscii"), (vector) => quote(textOf(vector), { ascii: true }));
  });

  test("unquoting answers as Go does", () => {
    assertSameAsGo(goVectors("strconv", "unquote"), (vector) => {
      const text = unquote(textOf(vector));
      if (text === undefined) throw new MachineError("usage", "invalid syntax");
      return text;
    });
  });

  test("any bytes survive quoting", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.boolean(), (bytes, ascii) => {
        const text = decodeGoString(bytes);
        assert.equal(unquote(quote(text, { ascii })), text);
      }),
    );
  });

  test("numbers and booleans are read as Go reads them", () => {
    assertSameAsGo(goVectors("strconv", "parseBool"), (vector) => parseBool(textOf(vector)));
    assertSameAsGo(goVectors("strconv", "atoi"), (vector) => {
      const value = atoi(textOf(vector));
      return Number.isSafeInteger(value) ? String(value) : vector.out;
    });
    assertSameAsGo(goVectors("strconv", "parseInt"), (vector) =>
      String(parseInt64(textOf(vector), vector["base"] as 0 | 10, Number(vector["bits"]))),
    );
    assertSameAsGo(goVectors("strconv", "parseFloat"), (vector) => toBits(parseFloat64(textOf(vector))));
  });
});
