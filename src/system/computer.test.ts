import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import * as path from "node:path";
import { test } from "node:test";

const file = JSON.stringify(new URL("computer.ts", import.meta.url).href);

/** @param uid who it becomes once it is loaded: somebody else may not be allowed to read these sources */
function nameWith(env: Readonly<Record<string, string>>, uid?: number, runtime = process.execPath): string {
  const become = uid === undefined ? "" : `process.setuid(${uid});`;
  const asked = `import(${file}).then((m) => { ${become} console.log(m.thisComputer().userName); })`;
  const { stdout, stderr } = spawnSync(runtime, ["-e", asked], { env, encoding: "utf8" });
  assert.doesNotMatch(stderr, /Error/u);
  return stdout.trim();
}

test("a person is who USER says, and without that who the system says", () => {
  assert.equal(nameWith({ USER: "alice" }), "alice");
  assert.equal(nameWith({}), userInfo().username);
  assert.equal(nameWith({ USER: "" }), userInfo().username);
});

test("somebody whom the system does not know has a number", { skip: process.getuid?.() !== 0 && "needs root" }, () => {
  assert.equal(nameWith({}, 54_321), "uid-54321");
});

const bun = path.join(import.meta.dirname, "../../tools/toolchain/node_modules/.bin/bun");

test("so it is in the executable, which Bun runs", { skip: !existsSync(bun) && "Bun is not installed" }, () => {
  assert.equal(nameWith({ USER: "alice" }, undefined, bun), "alice");
  assert.equal(nameWith({}, undefined, bun), userInfo().username);
});
