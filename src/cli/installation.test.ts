import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { temporaryFolder } from "../system/testing/folder.ts";
import { installationOf, installationText } from "./installation.ts";

function put(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}

const cases: readonly (readonly [by: string, program: string, files: Readonly<Record<string, string>>])[] = [
  ["deb", "usr/bin/docker-machine", { "usr/share/docker-machine/installed-by": "deb\n" }],
  ["install.sh", "bin/docker-machine", { "share/docker-machine/installed-by": "install.sh\n" }],
  ["unknown", "bin/docker-machine", { "share/docker-machine/installed-by": "\u001b[31manything\n" }],
  ["unknown", "bin/docker-machine", {}],
  ["homebrew", "Cellar/docker-machine/1.0.0/bin/docker-machine", {}],
  ["npm", "lib/node_modules/@docker-machine/cli/dist/docker-machine.cjs", {}],
  ["clone", "build/docker-machine", { "scripts/build.sh": "" }],
];
for (const [by, program, files] of cases)
  test(`a program at ${program} with ${Object.keys(files).join() || "nothing"} beside it: ${by}`, async () => {
    const folder = temporaryFolder();
    put(folder, { [program]: "", ...files });
    assert.deepEqual(await installationOf(["node", path.join(folder, program)]), { by, path: path.join(folder, program) });
  });

test("links are followed", async () => {
  const folder = temporaryFolder();
  put(folder, { "Cellar/bin/docker-machine": "" });
  symlinkSync(path.join(folder, "Cellar/bin/docker-machine"), path.join(folder, "link"));
  const found = await installationOf([path.join(folder, "link")]);
  assert.equal(installationText(found), `Installed by Homebrew: ${folder}/Cellar/bin/docker-machine`);
});
