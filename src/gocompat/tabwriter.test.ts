import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { assertSameAsGo, goVectors, type GoVector } from "../../test/support/go-vectors.ts";
import { helpTable, listTable, tabulate, type TabwriterOptions } from "./tabwriter.ts";

function optionsOf({ minwidth, tabwidth, padding, padchar, flags }: GoVector): TabwriterOptions {
  const has = (flag: string): boolean => (flags as string[]).includes(flag);
  return {
    minWidth: Number(minwidth),
    tabWidth: Number(tabwidth),
    padding: Number(padding),
    padChar: String(padchar),
    alignRight: has("alignRight"),
    discardEmptyColumns: has("discardEmptyColumns"),
    tabIndent: has("tabIndent"),
    debug: has("debug"),
  };
}

describe("tabwriter", () => {
  test("aligns as Go does", () => {
    assertSameAsGo(goVectors("tabwriter", "tabwriter"), (vector) => tabulate(String(vector["text"]), optionsOf(vector)));
  });

  test("the table of ls", () => {
    assert.equal(
      tabulate("NAME\tSTATE\tURL\na\tRunning\ttcp://x\n", listTable),
      "NAME   STATE     URL\na      Running   tcp://x\n",
    );
  });

  test("the lists of help pad with tabs", () => {
    assert.equal(
      tabulate("  --swarm\tJoin\n  --swarm-discovery \tUse\n", helpTable),
      "  --swarm\t\tJoin\n  --swarm-discovery \tUse\n",
    );
  });

  test("padding is all it adds, and columns begin at one place", () => {
    const word = fc.stringMatching(/^[a-zé世]{1,12}$/);
    const rows = fc
      .integer({ min: 1, max: 5 })
      .chain((columns) => fc.array(fc.array(word, { minLength: columns, maxLength: columns }), { minLength: 1 }));
    fc.assert(
      fc.property(rows, (table) => {
        const lines = tabulate(table.map((row) => `${row.join("\t")}\n`).join(""), listTable)
          .trimEnd()
          .split("\n");
        assert.deepEqual(
          lines.map((line) => line.split(/ +/)),
          table,
        );
        const starts = lines.map((line) => [...line.matchAll(/ [^ ]/g)].map((match) => match.index));
        for (const start of starts) assert.deepEqual(start, starts[0]);
      }),
    );
  });
});
