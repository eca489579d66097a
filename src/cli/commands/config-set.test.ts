import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { FileStore } from "../../store/file-store.ts";
import { newRecord } from "../../store/testing/records.ts";
import { systemClock } from "../../system/clock.ts";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { FakeRun, type FakeRunOptions } from "../testing/fake-main.ts";

const config = '{"IPAddress":"192.0.2.7","Token":"old-token","Region":"eu"}';

/** A store with the machines `web` and `set`, both of a driver that is not installed. */
async function openStore(): Promise<string> {
  const store = new FileStore(path.join(temporaryFolder(), "store"), systemClock);
  for (const name of ["web", "set"]) await store.create(newRecord(name, { driverName: "cloud", driverConfigText: config }));
  return store.root;
}

async function run(root: string, options: FakeRunOptions, ...words: readonly string[]) {
  return await new FakeRun({ ...options, env: { MACHINE_STORAGE_PATH: root, ...options.env } }).main(...words);
}

function recordOf(root: string): string {
  return readFileSync(path.join(root, "machines/web/config.json"), "utf8");
}

test("a secret is given on the command line, over standard input or at the terminal, and printed nowhere", async () => {
  const root = await openStore();
  const given = await run(root, {}, "config", "set", "web", "cloud-token=new-token");
  assert.deepEqual(given, { code: 0, stdout: "", stderr: 'Set cloud-token of "web".\n' });
  assert.match(recordOf(root), /"Token": "\[secret:cloud-token\]"/u);

  const piped = await run(root, { input: ["piped-token"] }, "config", "set", "web", "cloud-token");
  assert.deepEqual(piped, { code: 0, stdout: "", stderr: 'Set cloud-token of "web".\n' });
  assert.match(readFileSync(path.join(root, "machines/web/secrets.json"), "utf8"), /piped-token/u);

  const typed = await run(root, { input: ["typed-token"], isTerminal: true }, "config", "set", "web", "Token");
  assert.equal(typed.code, 0);
  assert.match(typed.stdout + typed.stderr, /New value of Token for web: /u);
  assert.doesNotMatch(typed.stdout + typed.stderr, /typed-token/u);
});

test("inspect masks the secret, and shows it where that is asked for", async () => {
  const root = await openStore();
  await run(root, {}, "config", "set", "web", "cloud-token=new-token");
  assert.equal((await run(root, {}, "inspect", "-f", "{{.Driver.Token}} {{.Driver.Region}}", "web")).stdout, "******** eu\n");
  const shown = await run(root, {}, "inspect", "--show-secrets", "-f", "{{.Driver.Token}}", "web");
  assert.equal(shown.stdout, "new-token\n");
});

test("what is no secret, no machine or no value is said, and nothing changes", async () => {
  const root = await openStore();
  const before = recordOf(root);
  const refused = await run(root, {}, "config", "set", "web", "region=us");
  assert.deepEqual([refused.code, refused.stderr], [2, '"region" is not a secret of "web"\nHint: It has: Token.\n']);
  assert.match((await run(root, {}, "config", "set", "web")).stderr, /Hint: It has these secrets: Token\./u);
  assert.equal((await run(root, {}, "config", "set", "nope", "x=y")).code, 4);
  assert.match((await run(root, {}, "config", "set", "web", "Token")).stderr, /No value was given for Token/u);
  assert.match((await run(root, {}, "config", "set", "web", "Token=env:NO_SUCH")).stderr, /The secret env:NO_SUCH is not set/u);
  assert.equal(recordOf(root), before);
});

test("flags may stand anywhere, also before the word", async () => {
  const root = await openStore();
  for (const [index, words] of [
    ["--timeout", "9s", "set", "web"],
    ["set", "--timeout", "9s", "web"],
    ["set", "web", "--timeout=9s"],
  ].entries()) {
    const given = await run(root, {}, "config", ...words, `cloud-token=token-${index}`);
    assert.deepEqual(given, { code: 0, stdout: "", stderr: 'Set cloud-token of "web".\n' });
    assert.match(readFileSync(path.join(root, "machines/web/secrets.json"), "utf8"), new RegExp(`token-${index}`, "u"));
  }
});

test("a machine may be called set", async () => {
  const root = await openStore();
  for (const words of [["set"], ["--", "set"], ["--swarm", "set"], ["set", "--swarm"], ["--timeout", "9s", "set"]]) {
    const { stderr } = await run(root, {}, "config", ...words);
    assert.match(stderr, /Driver "cloud" not found/u, "it is asked for its address");
  }
});
