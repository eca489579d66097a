import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { conceal, isNamedLike, marksIn, reveal, stringsOf, withField } from "./conceal.ts";

const known = new Map([
  ["cloud-token", "tok-1234-5678"],
  ["cloud-pin", "77"],
]);

test("secrets are found by their value, wherever they stand, and as parts of other values", () => {
  const { text, found } = conceal(
    '{"Auth":{"Key":"tok-1234-5678"},"List":["tok-1234-5678"],"Url":"https://u:tok-1234-5678@h/"}',
    known,
  );
  assert.equal(
    text,
    '{"Auth":{"Key":"[secret:cloud-token]"},"List":["[secret:cloud-token]"],"Url":"https://u:[secret:cloud-token]@h/"}',
  );
  assert.equal(found.size, 0);
});

test("a short secret is no part of anything, and what tools read stays readable", () => {
  const config = '{"Pin":"77","Note":"it was 1977","SSHUser":"77","MachineName":"77"}';
  assert.equal(
    conceal(config, known).text,
    '{"Pin":"[secret:cloud-pin]","Note":"it was 1977","SSHUser":"77","MachineName":"77"}',
  );
});

test("fields that are named like credentials are secrets of their own", () => {
  const { text, found } = conceal('{"Account":{"ApiToken":"made by the driver"},"Password":"","Region":"eu"}', known);
  assert.equal(text, '{"Account":{"ApiToken":"[secret:Account.ApiToken]"},"Password":"","Region":"eu"}');
  assert.deepEqual([...found], [["Account.ApiToken", "made by the driver"]]);
});

test("of two secrets with one value, the one that is named like the field is meant", () => {
  const twins = new Map([
    ["cloud-password", "same-same"],
    ["cloud-api-token", "same-same"],
  ]);
  assert.equal(conceal('{"APIToken":"same-same"}', twins).text, '{"APIToken":"[secret:cloud-api-token]"}');
});

test("texts without secrets or marks stay as they are, to the byte", () => {
  const odd = '{ "Big": 18446744073709551615, "E":1.50,"S":"\\u00e9\\/", "Token":"" }';
  assert.equal(conceal(odd, known).text, odd);
  assert.equal(reveal(odd, known), odd);
  const marked = conceal('{"Big":18446744073709551615,"Token":"tok-1234-5678"}', known).text;
  assert.equal(marked, '{"Big":18446744073709551615,"Token":"[secret:cloud-token]"}');
});

test("a mark whose secret is not known stays, and is nobody's secret", () => {
  const text = '{"Token":"[secret:other]"}';
  assert.equal(reveal(text, known), text);
  assert.deepEqual([...conceal(text, known).found], []);
  assert.deepEqual([...marksIn(text)], ["other"]);
});

test("flags and fields are compared by their letters", () => {
  assert.equal(isNamedLike("hetzner-api-token", "ApiToken"), true);
  assert.equal(isNamedLike("hetzner-api-token", "Account.APIToken"), false);
  assert.equal(isNamedLike("Account.APIToken", "APIToken"), true);
  assert.equal(isNamedLike("token", ""), false);
});

test("one field is set and the rest stays", () => {
  assert.equal(withField('{"A":{"B":"x"},"B":"y"}', "A.B", "z"), '{"A":{"B":"z"},"B":"y"}');
  assert.deepEqual(
    [...stringsOf('{"A":{"B":"x"},"L":["y"],"N":1}')],
    [
      ["A.B", "x"],
      ["L.0", "y"],
    ],
  );
});

test("a new value in a field takes no name from the old one", () => {
  const before = conceal('{"Token":"old"}', new Map());
  const { text, found } = conceal('{"Token":"new","Spare":"old"}', before.found);
  assert.equal(text, '{"Token":"[secret:Token-2]","Spare":"[secret:Token]"}');
  assert.deepEqual([...found], [["Token-2", "new"]]);
  assert.equal(conceal('{"Token":"x"}', new Map(), ["Token"]).text, '{"Token":"[secret:Token-2]"}');
});

test("what was concealed is revealed, whatever the configuration and however often it changes", () => {
  const text = fc.oneof(
    fc.constantFrom("same", "one", "longer-than-eight", "https://longer-than-eight@h"),
    fc.string({ unit: "binary" }),
  );
  const key = fc.oneof(fc.constantFrom("Token", "Password", "x[secret]", "Region", "token"), fc.string({ maxLength: 4 }));
  const config = fc.dictionary(key, fc.oneof(text, fc.dictionary(key, text)));
  const noMark = (value: unknown): boolean => !JSON.stringify(value).includes("[secret:");
  fc.assert(
    fc.property(
      fc.array(config.filter(noMark), { maxLength: 3 }),
      fc.array(text.filter(noMark), { maxLength: 3 }),
      (configs, secrets) => {
        const known = new Map(secrets.map((each, index) => [`flag-${index}`, each]));
        for (const each of configs) {
          const plain = JSON.stringify(each);
          const concealed = conceal(plain, known);
          for (const [name, value] of concealed.found) known.set(name, value);
          assert.deepEqual(JSON.parse(reveal(concealed.text, known)), JSON.parse(plain));
        }
      },
    ),
  );
});
