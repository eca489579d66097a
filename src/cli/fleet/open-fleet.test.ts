/** Files of a fleet that are none, and what a plan is saved into that is no file. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { FakeRun } from "../testing/fake-main.ts";

const text = 'version: 1\nfleet: shop\nmachines:\n  a: {driver: none, url: "tcp://192.0.2.1:2376"}\n';

function planIn(cwd: string): FakeRun {
  return new FakeRun({ env: { MACHINE_STORAGE_PATH: path.join(cwd, "store") }, computer: { cwd } });
}

test("what is named as the file and is no text is told of in one sentence", { skip: process.platform === "win32" }, async () => {
  const cwd = temporaryFolder();
  const file = (name: string): string => path.join(cwd, name);
  mkdirSync(file("folder"));
  symlinkSync("nowhere.yml", file("link.yml"));
  execFileSync("mkfifo", [file("pipe.yml")]);
  writeFileSync(file("empty.yml"), "");
  writeFileSync(file("zeros.yml"), Buffer.from("version: 1\n\0\0"));
  writeFileSync(file("latin.yml"), Buffer.from("version: 1\nfleet: caf\u00E9\n", "latin1"));
  writeFileSync(file("utf16.yml"), Buffer.from(`\uFEFF${text}`, "utf16le"));
  writeFileSync(file("good.yml"), `\uFEFF${text}`);
  for (const [name, code, said] of [
    ["folder", 2, /^folder is a folder\nHint: Name the file in it\.\n$/u],
    ["link.yml", 2, /^link\.yml is a link to nowhere\.yml, which is not there\n$/u],
    ["pipe.yml", 2, /^pipe\.yml is a pipe or a device, not a file\nHint: Save as a file/u],
    ["/dev/null", 2, /^\/dev\/null is a pipe or a device, not a file\n/u],
    ["", 2, /^The name of the file is empty\n$/u],
    ["good.yml/x", 2, /^There is no file good\.yml\/x\n$/u],
    ["machines.yml", 2, /^There is no file machines\.yml\nHint: .*--import NAME/u],
    ["empty.yml", 1, /^empty\.yml:1:1: nothing is written in the file\nHint: Begin it with: version: 1\n$/u],
    ["zeros.yml", 1, /^zeros\.yml:2:1: this is no text in UTF-8\nHint: /u],
    ["latin.yml", 1, /^latin\.yml:2:11: this is no text in UTF-8\nHint: /u],
    ["utf16.yml", 1, /^utf16\.yml:1:1: this is no text in UTF-8\nHint: /u],
  ] as const) {
    const run = await planIn(cwd).main("plan", "--file", name);
    assert.deepEqual([run.code, run.stdout], [code, ""], name);
    assert.match(run.stderr, said);
  }
  const good = await planIn(cwd).main("plan", "--file", "good.yml");
  assert.deepEqual([good.code, good.stderr], [0, ""]);
});

test("a plan for a pipe that nobody reads waits, and can be interrupted", { skip: process.platform === "win32" }, async () => {
  const cwd = temporaryFolder();
  execFileSync("mkfifo", [path.join(cwd, "pipe")]);
  writeFileSync(path.join(cwd, "machines.yml"), text);
  const run = planIn(cwd);
  const ended = run.main("plan", "--save", "pipe");
  while (!run.streams.stdout.text.includes("1 to create")) await new Promise(setImmediate);
  run.interrupt();
  assert.equal((await ended).code, 130);
});
