import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { generateX25519Identity, identityToRecipient } from "age-encryption";
import { FileStore } from "../../store/file-store.ts";
import { newRecord } from "../../store/testing/records.ts";
import { systemClock } from "../../system/clock.ts";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { FakeRun, type FakeRunOptions } from "../testing/fake-main.ts";

/** A folder with a store that has the machine `web`. */
async function openFolder(driverName = "none"): Promise<string> {
  const folder = temporaryFolder();
  await new FileStore(path.join(folder, "store"), systemClock).create(newRecord("web", { driverName }));
  return folder;
}

async function exportWeb(cwd: string, options: FakeRunOptions, ...words: readonly string[]) {
  const run = new FakeRun({ ...options, env: { MACHINE_STORAGE_PATH: path.join(cwd, "store") }, computer: { cwd } });
  return await run.main("export", ...words, "web");
}

test("a passphrase that is typed unseen is typed twice, and both are the same", async () => {
  const folder = await openFolder();
  const typed = async (...input: readonly string[]) =>
    await exportWeb(folder, { input, isTerminal: true }, "--passphrase", "--file", "web.age");
  const slip = await typed("correct horse", "correct hrose");
  assert.deepEqual([slip.code, existsSync(path.join(folder, "web.age"))], [2, false]);
  assert.match(slip.stderr, /These are two passphrases, and nothing was exported/u);
  assert.doesNotMatch(slip.stderr, /h(?:or|ro)se/u);
  assert.equal((await typed("correct horse", "correct horse")).code, 0);
  assert.equal(statSync(path.join(folder, "web.age")).mode & 0o777, 0o600);
});

test("what cannot be exported is told before a passphrase is asked for, and what is no recipient with the status of wrong words", async () => {
  const local = await exportWeb(
    await openFolder("virtualbox"),
    { input: ["canary", "canary"], isTerminal: true },
    "--passphrase",
  );
  assert.match(local.stderr, /"web" lives on this computer, and goes nowhere else: it cannot be exported/u);
  assert.doesNotMatch(local.stdout + local.stderr, /Passphrase/u);
  const wrong = await exportWeb(await openFolder(), {}, "--to", "notakey");
  assert.deepEqual([wrong.code, wrong.stdout], [2, ""]);
  assert.match(wrong.stderr, /^"notakey" is no recipient of age\nHint: Give it as age-keygen -y prints it: age1\.\.\.\n$/u);
});

test("what is to be run with the file can be copied, and a folder that is not there is no matter of the store", async () => {
  const folder = await openFolder();
  const recipient = await identityToRecipient(await generateX25519Identity());
  const spaced = await exportWeb(folder, {}, "--to", recipient, "--file", "our machines.age");
  assert.match(spaced.stderr, /import --identity KEY-FILE 'our machines\.age'\n$/u);
  const lost = await exportWeb(folder, {}, "--to", recipient, "--file", "nowhere/web.age");
  assert.equal(lost.code, 2);
  assert.match(lost.stderr, /nowhere\/web\.age: a folder of its path does not exist\nHint: Name another file\.\n$/u);
});

test("a pipe and a link that are named as the file stay what they are", { skip: process.platform === "win32" }, async () => {
  const folder = await openFolder();
  const recipient = await identityToRecipient(await generateX25519Identity());
  const pipe = path.join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const reader = spawn("cat", [pipe], { stdio: ["ignore", "pipe", "inherit"] });
  const [run, read] = await Promise.all([
    exportWeb(folder, {}, "--to", recipient, "--file", "pipe"),
    reader.stdout.toArray({ signal: AbortSignal.timeout(20_000) }),
  ]);
  assert.deepEqual([run.code, lstatSync(pipe).isFIFO()], [0, true]);
  assert.match(Buffer.concat(read).toString(), /^-----BEGIN AGE ENCRYPTED FILE-----/u);
  writeFileSync(path.join(folder, "target.age"), "old");
  symlinkSync("target.age", path.join(folder, "link.age"));
  assert.equal((await exportWeb(folder, {}, "--to", recipient, "--file", "link.age")).code, 0);
  assert.equal(lstatSync(path.join(folder, "link.age")).isSymbolicLink(), true);
  assert.match(readFileSync(path.join(folder, "target.age"), "utf8"), /^-----BEGIN AGE/u);
});
