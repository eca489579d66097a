import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import { entriesOf, parseYaml, type Complain, type Written } from "./yaml-text.ts";

const complain: Complain = (place, problem, hint) => new MachineError("usage", `${place}: ${problem}`, { hint });

async function read(text: string): Promise<Written> {
  return await parseYaml(text, "f.yml", complain);
}

function plain(written: Written): unknown {
  if (written.kind === "scalar") return written.value;
  if (written.kind === "list") return written.items.map(plain);
  return Object.fromEntries(written.entries.map(({ key, value }) => [key, plain(value)]));
}

describe("a YAML text", () => {
  it("has places, and keys as they are spelled", async () => {
    const [first, second] = entriesOf(await read("a: 1\n1.10: {b: [x, 028.10]}\n"), "it", complain);
    assert.deepEqual([first?.key, first?.place, first?.value.place], ["a", "f.yml:1:1", "f.yml:1:4"]);
    assert.deepEqual([second?.key, second?.place], ["1.10", "f.yml:2:1"]);
  });

  it("may take parts over by anchor and by <<, its own keys weighing more", async () => {
    const text = "x-a: &a {p: 1, q: 2}\nx-b: &b {q: 3, r: 4}\nc: {<<: [*a, *b], p: 5}\nd: *a\n";
    const { c, d } = plain(await read(text)) as Record<string, unknown>;
    assert.deepEqual(
      [c, d],
      [
        { p: 5, q: 2, r: 4 },
        { p: 1, q: 2 },
      ],
    );
  });

  it("is refused where it takes over what no anchor names", async () => {
    await assert.rejects(read("a: &a 1\nb: *c\n"), /^MachineError: f\.yml:2:4: no anchor &c stands before this$/u);
    await assert.rejects(read("a: {<<: *c}\n"), /f\.yml:1:9: no anchor &c stands before this/u);
  });

  it("is refused where it leads in circles, and read at once where aliases would make it huge", async () => {
    await assert.rejects(read("a: &a [*a]"), /f\.yml:1:\d+: this refers to itself/u);
    const levels = Array.from({ length: 40 }, (_, level) => `l${level + 1}: &l${level + 1} [${`*l${level}, `.repeat(9)}]`);
    assert.equal((await read(["l0: &l0 x", ...levels].join("\n"))).kind, "map");
  });

  it("is read or refused with a place, whatever it is", async () => {
    const piece = fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "- ",
      "[",
      "]",
      "{",
      "}",
      "*a",
      "&a ",
      "<<",
      "1.10",
      "'",
      '"',
      "|",
      "? ",
      "!!x ",
      "#",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 30 }), async (pieces) => {
        const error: unknown = await read(pieces.join("")).then(
          () => undefined,
          (thrown: unknown) => thrown,
        );
        assert.ok(error === undefined || (isMachineError(error) && error.message.startsWith("f.yml:")), String(error));
      }),
      { numRuns: 300 },
    );
  });
});
