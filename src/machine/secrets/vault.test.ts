import assert from "node:assert/strict";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { driverOptions } from "../../driver-kit/create-flag.ts";
import { Redactor } from "../../log/redact.ts";
import { thisComputer } from "../../system/computer.ts";
import { SystemProcessRunner } from "../../system/process.ts";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { SecretSource } from "./secret-source.ts";
import { Vault, type VaultContext } from "./vault.ts";

function contextWith(env: Readonly<Record<string, string>> = {}): VaultContext {
  const computer = { ...thisComputer(), env: { ...process.env, ...env } };
  const secrets = new SecretSource({ computer, processes: new SystemProcessRunner(computer), timeoutMs: 10_000 });
  return { computer, redactor: new Redactor(), secrets };
}

const flags = [
  { kind: "string", name: "cloud-auth", usage: "", secret: true },
  { kind: "string", name: "cloud-metadata-token", usage: "", secret: false },
] as const;
const { capabilities } = (await import("../../drivers/none/index.ts")).driverModule;
const ours = { flags, capabilities };
const others = { flags: [], capabilities: { ...capabilities, opaque: true as const } };

test("secrets are stored apart, private from the first byte, and come back", async () => {
  const [folder, context] = [temporaryFolder(), contextWith()];
  const vault = Vault.empty(context, folder);
  const options = await vault.takeOptions(driverOptions({ "cloud-auth": "s3cret-value", "cloud-region": "eu" }), ours);
  assert.equal(options.string("cloud-auth"), "[secret:cloud-auth]");
  const text = vault.conceal('{"Auth":"s3cret-value","Region":"eu"}');
  assert.equal(text, '{"Auth":"[secret:cloud-auth]","Region":"eu"}');
  const order: string[] = [];
  await vault.saveAround(
    text,
    async () => void order.push(existsSync(path.join(folder, "secrets.json")) ? "secrets first" : "config first"),
  );
  assert.deepEqual(order, ["secrets first"]);
  assert.equal(statSync(path.join(folder, "secrets.json")).mode & 0o777, 0o600);
  const again = await Vault.load(context, folder);
  assert.equal(again.reveal(text), '{"Auth":"s3cret-value","Region":"eu"}');
  assert.equal(context.redactor.redact("it is s3cret-value"), "it is [redacted]");
});

test("of a reference only the reference is stored, and it is followed when that is asked for", async () => {
  const [folder, context] = [temporaryFolder(), contextWith({ CLOUD: "first" })];
  const vault = Vault.empty(context, folder);
  const options = await vault.takeOptions(driverOptions({ "cloud-token": "env:CLOUD" }), others);
  assert.deepEqual([options.string("cloud-token"), options.all()], ["first", { "cloud-token": "first" }]);
  const text = vault.conceal('{"Token":"first"}');
  await vault.saveAround(text, async () => {});
  assert.doesNotMatch(readFileSync(path.join(folder, "secrets.json"), "utf8"), /first/u);
  const later = await Vault.load(contextWith({ CLOUD: "second" }), folder);
  assert.equal(later.isResolved(text), false);
  assert.equal(later.reveal(text), text);
  await later.resolve(text);
  assert.equal(later.reveal(text), '{"Token":"second"}');
  assert.equal(later.conceal('{"Token":"second"}'), text);
});

test("a driver is told by which variable a secret came, though it gets a mark in its place", async () => {
  const given = { "cloud-auth": "s3cret-value", "cloud-region": "eu" };
  const from = driverOptions(given, new Set(Object.keys(given)), new Map([["cloud-auth", "CLOUD_AUTH"]]));
  const options = await Vault.empty(contextWith(), temporaryFolder()).takeOptions(from, ours);
  assert.deepEqual([options.string("cloud-auth"), options.variableOf("cloud-auth")], ["[secret:cloud-auth]", "CLOUD_AUTH"]);
  assert.equal(options.variableOf("cloud-region"), undefined);
});

test("what no mark stands for any more is not kept", async () => {
  const [folder, context] = [temporaryFolder(), contextWith()];
  const vault = Vault.empty(context, folder);
  const text = vault.conceal('{"Token":"made by the driver"}');
  await vault.saveAround(text, async () => {});
  assert.equal(existsSync(path.join(folder, "secrets.json")), true);
  await vault.saveAround('{"Token":""}', async () => {});
  assert.equal(existsSync(path.join(folder, "secrets.json")), false);
});

test("with MACHINE_COMPAT=0.16 secrets stay where 0.16.2 looks for them", async () => {
  const vault = Vault.empty(contextWith({ MACHINE_COMPAT: "0.16" }), temporaryFolder());
  const options = await vault.takeOptions(driverOptions({ "cloud-auth": "env:HOME" }), ours);
  assert.equal(options.string("cloud-auth"), "env:HOME", "0.16.2 knows no references");
  assert.equal(vault.conceal('{"Auth":"x","Token":"y"}'), '{"Auth":"x","Token":"y"}');
});

test("what came out of a variable is kept as a reference to it", async () => {
  const [folder, context] = [temporaryFolder(), contextWith({ CLOUD_AUTH: "from-outside" })];
  const vault = Vault.empty(context, folder);
  const given = driverOptions({ "cloud-auth": "from-outside" }, new Set(["cloud-auth"]), new Map([["cloud-auth", "CLOUD_AUTH"]]));
  const options = await vault.takeOptions(given, ours);
  await vault.saveAround(`{"Auth":"${options.string("cloud-auth")}"}`, async () => {});
  const stored = readFileSync(path.join(folder, "secrets.json"), "utf8");
  assert.match(stored, /"env:CLOUD_AUTH"/u);
  assert.doesNotMatch(stored, /from-outside/u);
  assert.equal(context.redactor.redact("from-outside"), "[redacted]");
});

test("what its driver says is no secret stays open, though it is named like one", async () => {
  const vault = Vault.empty(contextWith(), temporaryFolder());
  const options = await vault.takeOptions(driverOptions({ "cloud-metadata-token": "optional" }), ours);
  assert.equal(options.string("cloud-metadata-token"), "optional");
  assert.equal(vault.conceal('{"MetadataToken":"optional"}', flags), '{"MetadataToken":"optional"}');
});

test("a vault that cannot be read says so", async () => {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, "secrets.json"), '{"version":9}');
  await assert.rejects(Vault.load(contextWith(), folder), { code: "record-unreadable", hint: /config set/u });
});

test("one field is revealed for a request: a value, a part of one, a reference; what was lost is said", async () => {
  const [folder, context] = [temporaryFolder(), contextWith({ CLOUD: "by-reference" })];
  const vault = Vault.empty(context, folder);
  vault.set("cloud-token", { value: 'with "quotes"' });
  vault.set("cloud-key", { reference: "env:CLOUD" });
  assert.equal(await vault.revealValue("[secret:cloud-token]"), 'with "quotes"');
  assert.equal(await vault.revealValue("Bearer [secret:cloud-key]!"), "Bearer by-reference!");
  assert.equal(await vault.revealValue("plain"), "plain");
  await assert.rejects(vault.revealValue("[secret:gone]"), {
    code: "secret-unavailable",
    hint: `Give it anew with: docker-machine config set ${path.basename(folder)} gone=VALUE`,
  });
});
