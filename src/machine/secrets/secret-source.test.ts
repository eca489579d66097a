import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { thisComputer, type Computer } from "../../system/computer.ts";
import { SystemProcessRunner } from "../../system/process.ts";
import { temporaryFolder } from "../../system/testing/folder.ts";
import { parseOrigin, SecretSource } from "./secret-source.ts";

const here = { cwd: "/work here", homeDir: "/home/me" };

function sourceWith(change: Partial<Computer> = {}, timeoutMs = 10_000): SecretSource {
  const computer = { ...thisComputer(), ...change };
  return new SecretSource({ computer, processes: new SystemProcessRunner(computer), timeoutMs });
}

test("what is a reference, and what a secret", () => {
  assert.deepEqual(parseOrigin("env:TOKEN", here), { reference: "env:TOKEN" });
  assert.deepEqual(parseOrigin("cmd:pass show x", here), { reference: "cmd:pass show x" });
  assert.deepEqual(parseOrigin("keychain:cloud/me", here), { reference: "keychain:cloud/me" });
  assert.deepEqual(parseOrigin("file:token", here), { reference: "file:/work here/token" });
  assert.deepEqual(parseOrigin("file:~/token", here), { reference: "file:/home/me/token" });
  assert.deepEqual(parseOrigin("file:/abs", here), { reference: "file:/abs" });
  assert.deepEqual(parseOrigin("value:env:not", here), { value: "env:not" });
  assert.deepEqual(parseOrigin("http://x", here), { value: "http://x" });
  assert.deepEqual(parseOrigin("env:", here), { value: "env:" });
});

test("each kind is read, without the line's end", async () => {
  const folder = temporaryFolder();
  const file = path.join(folder, "token");
  writeFileSync(file, "from file\r\n\n");
  const source = sourceWith({ env: { ...process.env, TOKEN: "from env" } });
  assert.equal(await source.resolve("env:TOKEN"), "from env");
  assert.equal(await source.resolve(`file:${file}`), "from file");
  assert.equal(await source.resolve("cmd:printf 'from %s\\n' cmd"), "from cmd");
});

test("a keychain is asked by its own program", async () => {
  const folder = temporaryFolder();
  for (const program of ["secret-tool", "security"]) {
    writeFileSync(path.join(folder, program), '#!/bin/sh\necho "$0 $*"\n');
    chmodSync(path.join(folder, program), 0o755);
  }
  const env = { ...process.env, PATH: `${folder}:/bin:/usr/bin` };
  const linux = await sourceWith({ env, os: "linux" }).resolve("keychain:cloud/me");
  assert.match(linux, /secret-tool lookup service cloud account me$/u);
  const mac = await sourceWith({ env, os: "darwin" }).resolve("keychain:cloud");
  assert.match(mac, /security find-generic-password -w -s cloud$/u);
  await assert.rejects(sourceWith({ env, os: "windows" }).resolve("keychain:cloud"), { code: "secret-unavailable" });
});

test("a command is run once, however many machines ask", async () => {
  const count = path.join(temporaryFolder(), "count");
  const source = sourceWith();
  const reference = `cmd:echo x >>${count}; wc -l <${count}`;
  const answers = await Promise.all(Array.from({ length: 5 }, async () => (await source.resolve(reference)).trim()));
  assert.deepEqual(answers, ["1", "1", "1", "1", "1"]);
});

test("a reference that leads nowhere is one clear sentence", async () => {
  const complaints: Readonly<Record<string, RegExp>> = {
    "env:NO_SUCH_VARIABLE_HERE": /^The secret env:NO_SUCH_VARIABLE_HERE is not set$/u,
    "file:/nonexistent/token": /^The secret file:\/nonexistent\/token does not exist$/u,
    "cmd:echo denied >&2; exit 3": /failed with status 3: denied$/u,
    "cmd:true": /is empty$/u,
    "vault:x": /is no reference that this version knows$/u,
  };
  for (const [reference, message] of Object.entries(complaints)) {
    await assert.rejects(sourceWith().resolve(reference), { code: "secret-unavailable", message });
  }
  await assert.rejects(sourceWith({}, 50).resolve("cmd:exec sleep 30"), {
    code: "secret-unavailable",
    message: /did not end within/u,
  });
});
