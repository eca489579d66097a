import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { answerOf, assertSameAsGo, goVectors } from "../../test/support/go-vectors.ts";
import { runeCount } from "./go-string.ts";
import { compileRegexp } from "./regexp.ts";

/** The first match as a range of characters, as the recorder writes it. */
function find(pattern: RegExp, text: string): number[] | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const start = runeCount(text.slice(0, match.index));
  return [start, start + runeCount(match[0])];
}

describe("regular expressions", () => {
  test("find what Go's find, or are refused in its words", () => {
    assertSameAsGo(goVectors("regexp", "regexp"), ({ pattern, subjects }) => {
      const compiled = compileRegexp(String(pattern));
      return (subjects as string[]).map((subject) => find(compiled, subject));
    });
  });

  test("quoted text finds itself and nothing else", () => {
    const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((candidate) => !candidate.includes("\\E"));
    fc.assert(
      fc.property(text, text, (needle, hay) => {
        assert.equal(compileRegexp(`\\Q${needle}\\E`).test(hay), hay.includes(needle));
        assert.ok(
          compileRegexp(`^${needle.replace(/[^0-9A-Za-z]/gu, (rune) => `\\x{${rune.codePointAt(0)?.toString(16)}}`)}$`).test(
            needle,
          ),
        );
      }),
    );
  });

  test("every pattern compiles or is refused", () => {
    const pieces = fc.constantFrom(
      ..."abé09.^$|()[]{}*+?-\\:<>=!,iPdwQE ".split(""),
      "(?",
      "[[:",
      ":]]",
      "\\p{",
      "(?P<",
      "{1,2}",
      "\\x{",
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const answer = answerOf(() => compileRegexp(parts.join("")).test("ab"));
        assert.ok(answer.error === undefined || answer.error.startsWith("error parsing regexp: "), answer.error);
      }),
      { numRuns: 1000 },
    );
  });
});
