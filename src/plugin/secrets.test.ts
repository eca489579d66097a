import assert from "node:assert/strict";
import { test } from "node:test";
import { isSecretName } from "../log/secret-names.ts";
import { secretsOfConfig, secretsOfOptions } from "./secrets.ts";

test("credentials are known by their names", () => {
  const secret = [
    "hetzner-api-token",
    "APIToken",
    "vmwarevsphere-password",
    "SecretKey",
    "aws-access-key",
    "AppKey_secret",
    "SSHPassphrase",
  ];
  const open = ["SSHKeyPath", "ssh-key", "token-url", "region", "hetzner-image", "KeyPairName"];
  for (const name of secret) assert.equal(isSecretName(name), true, name);
  for (const name of open) assert.equal(isSecretName(name), false, name);
});

test("their values are found in options and, at any depth, in a configuration", () => {
  assert.deepEqual(secretsOfOptions({ "x-token": "t1", "x-region": "eu", "y-password": true }), ["t1"]);
  assert.deepEqual(secretsOfConfig('{"Token":"t1","Client":{"Accounts":[{"Password":"p1","Name":"n"}]}}'), ["t1", "p1"]);
  assert.deepEqual(secretsOfConfig("not JSON"), []);
});
