import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatJson, jsonFrom, parseJson } from "../gocompat/json.ts";
import { localText, portableText } from "./portable-paths.ts";
import { goldenText } from "./testing/records.ts";

test("a record of one store becomes that of another, equal but for the folder, to the byte", () => {
  const here = goldenText("alpha");
  const elsewhere = here.replaceAll("/tmp/store", "/home/bob/machines");
  assert.notEqual(here, elsewhere);
  const portable = portableText(here, "/tmp/store");
  assert.ok(!portable.includes("/tmp/store"), "no path of this computer is left");
  assert.equal(portable, portableText(elsewhere, "/home/bob/machines"));
  assert.equal(localText(portable, "/home/bob/machines"), elsewhere);
  assert.equal(localText(portable, "/tmp/store"), here);
});

test("paths of Windows arrive with this system's slashes, and a name that merely begins alike stays", () => {
  const there = String.raw`C:\Users\alice\.docker\machine`;
  const text = formatJson(
    jsonFrom({ key: String.raw`${there}\machines\web\id_rsa`, other: `${there}-old`, out: `${there}/../x` }),
  );
  const arrived = JSON.parse(localText(portableText(text, there), "/store")) as unknown;
  assert.deepEqual(arrived, { key: "/store/machines/web/id_rsa", other: `${there}-old`, out: `${there}/../x` });
});

test("whatever a record says, spelled like a portable path too, comes back as it was", () => {
  const strings = fc.oneof(
    fc.string(),
    fc.stringMatching(/^\{{0,5}store\}\}(?:\/[a-z]{1,3}){0,2}$/u),
    fc.stringMatching(/^\/root(?:\/[a-z.]{1,3}){0,3}$/u).filter((text) => !/\/\.{1,2}(?:\/|$)/u.test(text)),
  );
  fc.assert(
    fc.property(fc.dictionary(fc.string(), strings), (record) => {
      const text = formatJson(jsonFrom(record));
      assert.deepEqual(parseJson(localText(portableText(text, "/root"), "/root")), parseJson(text));
    }),
  );
});
