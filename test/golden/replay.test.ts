/** 0.16.2's recorded cases, replayed against this program. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { differences, differencesOf } from "./differences.ts";
import { goldenCases, type GoldenCase } from "./golden-cases.ts";
import { programUnderTest, replay, type Mode } from "./replay.ts";

/** What was recorded in one store, beside which machines. */
const recordings: Readonly<
  Record<string, { readonly cases: readonly GoldenCase[]; readonly records: Readonly<Record<string, string>> }>
> = {
  "recorded cases": { cases: goldenCases(), records: {} },
  "a stopped machine": {
    cases: goldenCases("stopped.jsonl"),
    records: { still: readFileSync(new URL("stopped-record.json", import.meta.url), "utf8") },
  },
};
const allCases = Object.values(recordings).flatMap((recording) => recording.cases);

for (const mode of ["default", "compat"] as const satisfies readonly Mode[]) {
  for (const [what, { cases, records }] of Object.entries(recordings)) {
    describe(`${what}, ${mode} mode`, () => {
      // Each runtime its share: the executable as users run it, Node in the mode of scripts.
      const outcomes = replay(programUnderTest(mode === "compat" ? "node" : "any"), cases, mode, records);
      for (const [index, golden] of cases.entries()) {
        const applying = differencesOf(golden, mode);
        it(`${index + 1}: ${golden.args.join(" ")}${golden.note === "" ? "" : ` (${golden.note})`}`, () => {
          const { code, stdout, stderr } = applying.reduce((wanted, { expect }) => expect?.(wanted) ?? wanted, golden);
          const outcome = outcomes[index];
          assert.ok(outcome !== undefined);
          const actual = applying.reduce((shown, { translate }) => translate?.(shown) ?? shown, outcome);
          assert.deepEqual(actual, { code, stdout, stderr });
        });
      }
    });
  }
}

describe("deliberate differences", () => {
  const explained = readFileSync("docs/differences.md", "utf8").split("\n");
  for (const difference of differences) {
    it(`${difference.name} applies somewhere and is explained`, () => {
      assert.ok(
        allCases.some((golden) => difference.applies(golden)),
        "no case shows it",
      );
      const mark = difference.mode === "default" ? " *compat*" : "";
      const row = `| \`${difference.name}\`${mark} |`;
      assert.ok(
        explained.some((line) => line.startsWith(row)),
        `docs/differences.md has no row that begins with ${row}`,
      );
    });
  }
});
