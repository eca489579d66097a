import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { overlayJson, respellJson, respellJsonText } from "./json-merge.ts";
import { formatJson, jsonFrom, parseJson, plainFrom } from "./json.ts";

function overlay(old: string, next: unknown): string {
  return formatJson(overlayJson(parseJson(old), jsonFrom(next)), "");
}

test("a number too large for JavaScript survives having been through it", () => {
  const old = '{"Id":9007199254740993,"Ratio":1.50,"Big":1E400}';
  assert.equal(
    respellJsonText(old, JSON.stringify({ ...(JSON.parse(old) as object), Big: 1 })),
    '{"Id":9007199254740993,"Ratio":1.50,"Big":1}',
  );
});

test("keys keep their order, also integer-like ones, and new ones follow", () => {
  assert.equal(respellJsonText('{"b":1,"10":2,"9":3}', '{"9":3,"10":2,"new":0,"b":1}'), '{"b":1,"10":2,"9":3,"new":0}');
});

test("a map loses the keys that are gone; of doubled keys the last one counts", () => {
  assert.equal(respellJsonText('{"gone":1,"a":1,"a":2}', '{"a":3}'), '{"a":1,"a":3}');
});

test("strings keep their escapes while they mean the same", () => {
  assert.equal(respellJsonText(String.raw`["\u0041\/","x"]`, '["A/","y"]'), String.raw`["\u0041\/","y"]`);
});

test("a struct keeps keys it does not know, at every depth", () => {
  assert.equal(
    overlay('{"Name":"a","Options":{"Future":[1.0],"Level":""},"X":null}', { Name: "b", Options: { Level: "debug" } }),
    '{"Name":"b","Options":{"Future":[1.0],"Level":"debug"},"X":null}',
  );
});

test("a struct finds its fields without case, the last one of several", () => {
  assert.equal(overlay('{"TLSVerify":true,"tlsverify":true}', { TlsVerify: false }), '{"TLSVerify":true,"tlsverify":false}');
});

test("zero values are not added, and do not replace null, but an empty list does", () => {
  const zero = { A: "", B: 0, C: false, D: null, E: { F: "" } };
  assert.equal(overlay("{}", zero), "{}");
  assert.equal(overlay('{"A":null,"B":null,"C":null,"D":null,"E":null}', zero), '{"A":null,"B":null,"C":null,"D":null,"E":null}');
  assert.equal(overlay('{"L":null}', { L: [], M: [] }), '{"L":[],"M":[]}');
  assert.equal(overlay('{"L":[]}', { L: null }), '{"L":null}');
});

test("a value of another kind is replaced", () => {
  assert.equal(overlay('{"a":{"b":1}}', { a: 5 }), '{"a":5}');
});

test("the result always means what was asked for", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (old, next) => {
      const expected = JSON.parse(JSON.stringify(next)) as unknown;
      assert.deepEqual(plainFrom(respellJson(jsonFrom(old), jsonFrom(next))), expected);
    }),
  );
});

test("the same value changes nothing", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const node = parseJson(text);
      assert.equal(formatJson(respellJson(node, node)), formatJson(node));
      assert.equal(formatJson(overlayJson(node, jsonFrom(JSON.parse(text)))), formatJson(node));
    }),
  );
});
