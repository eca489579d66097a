import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isMachineError } from "../../errors/machine-error.ts";
import { keyFingerprints, requireKeys } from "./openpgp.ts";

// Made with gpg, which also told the fingerprints; the first has a subkey.
const rsa = "61227FB7DBA7F618371763E21444BB1427D05A30";
const ed25519 = "7264886D47994B2DEC25352F14A350F2A2E48DAA";
const keyFile = (name: string): string =>
  readFileSync(new URL(`../../../test/fixtures/openpgp/${name}.asc`, import.meta.url), "utf8");

test("fingerprints are those that gpg tells", () => {
  assert.deepEqual(keyFingerprints(keyFile(rsa)), [rsa]);
  assert.deepEqual(keyFingerprints(keyFile(ed25519)), [ed25519]);
});

test("a file of several keys tells them all", () => {
  assert.deepEqual(keyFingerprints(keyFile("both")), [rsa, ed25519]);
  assert.deepEqual(keyFingerprints(keyFile(rsa) + keyFile(ed25519)), [rsa, ed25519]);
});

function refusal(text: string, expected: readonly string[]): string {
  try {
    requireKeys(text, expected, "http://mirror/gpg");
  } catch (error) {
    assert.ok(isMachineError(error, "download-failed"));
    return error.message;
  }
  return "";
}

test("a key is accepted by its fingerprint however it is written", () => {
  assert.equal(refusal(keyFile(rsa), [rsa]), "");
  assert.equal(refusal(keyFile(rsa), ["6122 7fb7 dba7 f618 3717  63e2 1444 bb14 27d0 5a30"]), "");
  assert.equal(refusal(keyFile(rsa), [`0x${rsa}`]), "");
});

test("a foreign key is refused, also beside the right one", () => {
  assert.match(refusal(keyFile(ed25519), [rsa]), new RegExp(`has the fingerprint ${ed25519}, expected was ${rsa}`, "u"));
  assert.match(refusal(keyFile("both"), [rsa]), new RegExp(ed25519, "u"));
});

test("what is no key is refused: a web page, a cut-off file, nothing", () => {
  assert.match(refusal("<html>captive portal</html>", [rsa]), /not an armoured OpenPGP key/u);
  assert.match(refusal("", [rsa]), /not an armoured OpenPGP key/u);
  const lines = keyFile(rsa).split("\n");
  assert.notEqual(refusal([...lines.slice(0, 5), ...lines.slice(-3)].join("\n"), [rsa]), "");
});
