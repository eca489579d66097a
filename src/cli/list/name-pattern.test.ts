import assert from "node:assert/strict";
import { test } from "node:test";
import { goVectors } from "../../../test/support/go-vectors.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { compileNamePattern } from "./name-pattern.ts";

/** The engine speaks as a newer Go than the recorded one: it knows `(?<name>` and shows no empty rest of a pattern. */
const newerGo = new Set(["[\\", "\\", "(?<=a)", "(?<!a)", "(?<n>a)", "(?P<"]);

test("patterns match where Go's do, or are refused in its words", async () => {
  const vectors = goVectors("regexp", "regexp").filter(({ pattern }) => !newerGo.has(String(pattern)));
  assert.ok(vectors.length > 100);
  for (const { pattern, subjects, out, error } of vectors) {
    const answer = await compileNamePattern(String(pattern)).then(
      (matches) => ({ out: (subjects as string[]).map(matches), error: undefined }),
      (thrown: unknown) => ({ out: undefined, error: isMachineError(thrown, "usage") ? thrown.message : thrown }),
    );
    const expected = { out: (out as unknown[] | undefined)?.map((range) => range !== null), error };
    assert.deepEqual({ pattern, ...answer }, { pattern, ...expected });
  }
});

test("a pattern that would keep a backtracking engine busy for ever does not", async () => {
  const matches = await compileNamePattern("^(a+)+$");
  assert.equal(matches(`${"a".repeat(5_000)}!`), false);
});
