import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  findMember,
  formatJson,
  JsonSyntaxError,
  jsonFrom,
  parseJson,
  plainFrom,
  quoteJsonString,
  reindentJson,
} from "./json.ts";

/** What Go's json.MarshalIndent(json.RawMessage(input), "", "    ") printed for each input. */
const goIndented: readonly (readonly [input: string, output: string])[] = [
  ["null", "null"],
  [" [ ] ", "[]"],
  ["{\n}", "{}"],
  ['{"a":[],"b":{},"c":null}', '{\n    "a": [],\n    "b": {},\n    "c": null\n}'],
  [
    '[1,[2,[]],{"x":[{}]}]',
    '[\n    1,\n    [\n        2,\n        []\n    ],\n    {\n        "x": [\n            {}\n        ]\n    }\n]',
  ],
  ['"<a>&\u2028\u2029"', '"\\u003ca\\u003e\\u0026\\u2028\\u2029"'],
  ['{"<k>":"\\u003C\\/\\u00e9é\\ud800"}', '{\n    "\\u003ck\\u003e": "\\u003C\\/\\u00e9é\\ud800"\n}'],
  ["[18446744073709551615,-0,1.50,1E+2,1e-9]", "[\n    18446744073709551615,\n    -0,\n    1.50,\n    1E+2,\n    1e-9\n]"],
  ['{"b":1,"a":2,"b":3,"10":4,"9":5}', '{\n    "b": 1,\n    "a": 2,\n    "b": 3,\n    "10": 4,\n    "9": 5\n}'],
];

/** What Go's json.Marshal printed for strings. */
const goStrings: readonly (readonly [value: string, output: string])[] = [
  ["", '""'],
  ['say "hi" \\ /', '"say \\"hi\\" \\\\ /"'],
  ["\b\f\n\r\t\u0000\u001f\u007f", '"\\u0008\\u000c\\n\\r\\t\\u0000\\u001f\u007f"'],
  ["a<b>&c", '"a\\u003cb\\u003e\\u0026c"'],
  ["\u2028\u2029é😀", '"\\u2028\\u2029é😀"'],
];

for (const [input, output] of goIndented) {
  test(`indents ${JSON.stringify(input)} as Go does`, () => assert.equal(reindentJson(input), output));
}

for (const [value, output] of goStrings) {
  test(`quotes ${JSON.stringify(value)} as Go does`, () => assert.equal(quoteJsonString(value), output));
}

test("half a surrogate pair becomes the replacement character, as in Go", () => {
  assert.equal(quoteJsonString("a\ud800b"), '"a\ufffdb"');
});

test("plain data is written as Go writes it", () => {
  assert.equal(
    formatJson(jsonFrom({ a: 1, b: [true, null, "x"], c: undefined, d: 1e21, e: 1e-7, f: 12n }), ""),
    '{"a":1,"b":[true,null,"x"],"d":1e+21,"e":1e-7,"f":12}',
  );
  assert.throws(() => jsonFrom(Number.NaN), TypeError);
  assert.throws(() => jsonFrom(() => 0), TypeError);
});

test("finds a member as Go's decoder does: without case, the last one", () => {
  const node = parseJson('{"Name":"a","NAME":"b","name":"c","other":1}');
  assert.deepEqual(findMember(node, "Name"), { kind: "string", text: '"c"' });
  assert.equal(findMember(node, "missing"), undefined);
  assert.equal(findMember(parseJson("[]"), "Name"), undefined);
});

const broken: readonly (readonly [text: string, message: RegExp, line: number, column: number])[] = [
  ["", /unexpected end/u, 1, 1],
  ['{\n  "a": 1', /unexpected end/u, 2, 9],
  ['{"a": tru', /unexpected end/u, 1, 10],
  ['"abc', /unexpected end/u, 1, 5],
  ["-", /unexpected end/u, 1, 2],
  ['{"a": 1.', /unexpected end/u, 1, 9],
  ["[1e-", /unexpected end/u, 1, 5],
  ['"a\\', /unexpected end/u, 1, 4],
  ['"\\u00', /unexpected end/u, 1, 6],
  ["-x", /invalid character "-" looking for beginning of value/u, 1, 1],
  ['{"a":1,\n}', /invalid character "\}" looking for beginning of object key string/u, 2, 1],
  ["[1 2]", /invalid character "2" after array element/u, 1, 4],
  ['{"a" 1}', /invalid character "1" after object key/u, 1, 6],
  ["nulL", /invalid character "L" in literal null/u, 1, 4],
  ["1 x", /invalid character "x" after top-level value/u, 1, 3],
  ["01", /invalid character "1" after top-level value/u, 1, 2],
  ['"a\tb"', /invalid character "\\t" in string literal/u, 1, 3],
  ['"\\x"', /invalid character "\\\\" in string literal/u, 1, 2],
  ["\ufeff{}", /invalid character .* looking for beginning of value/u, 1, 1],
];
for (const [text, message, line, column] of broken) {
  test(`rejects ${JSON.stringify(text)} and says where`, () => {
    assert.throws(
      () => parseJson(text),
      (error) => {
        assert.ok(error instanceof JsonSyntaxError);
        assert.match(error.message, message);
        assert.deepEqual([error.line, error.column], [line, column]);
        return true;
      },
    );
  });
}

test("nesting without end is an error and not a full stack", () => {
  assert.throws(() => parseJson("[".repeat(100_000)), /exceeded max depth/u);
});

test("accepts exactly what JSON.parse accepts, with the same meaning", () => {
  const nearJson = fc.oneof(fc.json(), fc.stringMatching(/^[[\]{}":,0-9.eE+\-truefalsn \\u"]{0,12}$/u));
  fc.assert(
    fc.property(nearJson, (text) => {
      let expected: { value: unknown } | undefined;
      try {
        expected = { value: JSON.parse(text) };
      } catch {
        expected = undefined;
      }
      if (expected === undefined) assert.throws(() => parseJson(text), JsonSyntaxError);
      else assert.deepEqual(plainFrom(parseJson(text)), expected.value);
    }),
  );
});

test("a text that was written once is written the same for ever", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom("", "    "), (text, indent) => {
      const once = reindentJson(text, indent);
      assert.equal(reindentJson(once, indent), once);
      assert.deepEqual(JSON.parse(once), JSON.parse(text));
    }),
  );
});

test("plain data survives the tree", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => assert.deepEqual(plainFrom(jsonFrom(value)), JSON.parse(JSON.stringify(value)))),
  );
});
