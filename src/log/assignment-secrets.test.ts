import assert from "node:assert/strict";
import { test } from "node:test";
import { secretsOfAssignment, withoutSecrets } from "./assignment-secrets.ts";

test("a password in a URL is a secret, its user and host are none", () => {
  assert.deepEqual(secretsOfAssignment("HTTP_PROXY=http://me:p%40ss@proxy:3128/"), ["p%40ss"]);
  assert.deepEqual(secretsOfAssignment("https_proxy=http://me:p@ss@proxy"), ["p@ss"]);
  assert.deepEqual(secretsOfAssignment("NO_PROXY=localhost,http://user@host"), []);
});

test("what is named like a credential is one as a whole", () => {
  assert.deepEqual(secretsOfAssignment("AWS_SECRET_ACCESS_KEY=a=b"), ["a=b"]);
  assert.deepEqual(secretsOfAssignment("SPLUNK_TOKEN="), []);
  assert.deepEqual(secretsOfAssignment("TOKEN_PATH=/run/token"), []);
});

test("secrets are replaced, and nothing else", () => {
  assert.equal(withoutSecrets("HTTP_PROXY=http://me:hush@proxy", "*"), "HTTP_PROXY=http://me:*@proxy");
  assert.equal(withoutSecrets("MY_TOKEN=hush", "*"), "MY_TOKEN=*");
  assert.equal(withoutSecrets("PLAIN=a=b", "*"), "PLAIN=a=b");
  assert.equal(withoutSecrets("ALONE", "*"), "ALONE");
});
