import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { assertSameAsGo, decodeInput, goVectors } from "../../test/support/go-vectors.ts";
import { formatData, sprint, sprintf, sprintln } from "./format.ts";
import { runeCount } from "./go-string.ts";
import { goValue, type GoValue } from "./value.ts";

function argumentsOf(args: unknown): (GoValue | undefined)[] {
  return (decodeInput(args) as unknown[]).map(goValue);
}

describe("fmt", () => {
  test("Sprintf answers as Go does", () => {
    assertSameAsGo(goVectors("fmt", "sprintf"), ({ format, args }) => sprintf(format as string, argumentsOf(args)));
  });

  test("Sprint and Sprintln answer as Go does", () => {
    assertSameAsGo(goVectors("fmt", "sprint"), ({ args }) => sprint(argumentsOf(args)));
    assertSameAsGo(goVectors("fmt", "sprintln"), ({ args }) => sprintln(argumentsOf(args)));
  });

  test("text without a percent sign stays as it is", () => {
    fc.assert(
      fc.property(
        fc.string().map((text) => text.replaceAll("%", "")),
        (text) => {
          assert.equal(sprintf(text, []), text);
        },
      ),
    );
  });

  test("a width is reached and never cuts", () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 30 }), (text, width) => {
        assert.equal(formatData(`%${width}s`, text), text.padStart(width + text.length - runeCount(text)));
        assert.equal(formatData(`%-${width}s`, text), text.padEnd(width + text.length - runeCount(text)));
      }),
    );
  });

  test("no format makes it throw", () => {
    const directive = fc.stringMatching(/^%[#0+\- ]{0,3}(\[[0-9x]?\]?)?[*0-9]{0,3}(\.[*0-9]{0,2})?[a-zA-Z%é]?$/);
    fc.assert(
      fc.property(directive, fc.array(fc.jsonValue()), (format, args) => {
        assert.equal(typeof formatData(format, ...args), "string");
      }),
    );
  });
});
