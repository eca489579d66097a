import assert from "node:assert/strict";
import { test } from "node:test";
import { Redactor } from "../../log/redact.ts";
import { thisComputer } from "../../system/computer.ts";
import { SystemProcessRunner } from "../../system/process.ts";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { concealAssignments, revealAssignments } from "./engine-secrets.ts";
import { SecretSource } from "./secret-source.ts";
import { Vault, type VaultContext } from "./vault.ts";

function portsWith(env: Readonly<Record<string, string>> = {}): VaultContext {
  const computer = { ...thisComputer(), env: { ...process.env, ...env } };
  const secrets = new SecretSource({ computer, processes: new SystemProcessRunner(computer), timeoutMs: 10_000 });
  return { computer, redactor: new Redactor(), secrets };
}

test("credentials in the engine's environment are stored apart, and everything else stays readable", async () => {
  const [folder, context] = [temporaryFolder(), portsWith()];
  const vault = Vault.empty(context, folder);
  const given = [
    "SPLUNK_TOKEN=canary-a",
    "HTTP_PROXY=http://user:canary-b@proxy:3128",
    "HTTPS_PROXY=http://user:canary-b@proxy:3128",
    "NO_PROXY=localhost",
    "EMPTY_TOKEN=",
    "NO_VALUE",
  ];
  const stored = concealAssignments(vault, given);
  assert.deepEqual(stored, [
    "SPLUNK_TOKEN=[secret:engine-env.SPLUNK_TOKEN]",
    "HTTP_PROXY=http://user:[secret:engine-env.HTTP_PROXY]@proxy:3128",
    "HTTPS_PROXY=http://user:[secret:engine-env.HTTPS_PROXY]@proxy:3128",
    "NO_PROXY=localhost",
    "EMPTY_TOKEN=",
    "NO_VALUE",
  ]);
  assert.deepEqual(concealAssignments(vault, stored), stored);
  await vault.saveAround(stored.join("\n"), async () => {});
  const again = await Vault.load(portsWith(), folder);
  assert.deepEqual(revealAssignments(again, stored), given);
  const compat = Vault.empty(portsWith({ MACHINE_COMPAT: "0.16" }), folder);
  assert.deepEqual(concealAssignments(compat, given), given);
});

test("two values under one name of the engine's environment are both kept", () => {
  const vault = Vault.empty(portsWith(), temporaryFolder());
  const stored = concealAssignments(vault, ["API_TOKEN=first-value", "API_TOKEN=second-value"]);
  assert.equal(new Set(stored).size, 2);
  assert.deepEqual(revealAssignments(vault, stored), ["API_TOKEN=first-value", "API_TOKEN=second-value"]);
});
