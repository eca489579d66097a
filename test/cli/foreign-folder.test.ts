/** The program in a folder of somebody else's project: nothing there is its own. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, it } from "node:test";
import { Program } from "../e2e/program.ts";

const files = {
  ".env": "MACHINE_STORAGE_PATH=elsewhere\nMACHINE_OUTPUT=json\n",
  ".env.local": "MACHINE_OUTPUT=json\n",
  "bunfig.toml": 'preload = ["./preloaded.js"]\n',
  "preloaded.js": 'process.stdout.write("run by the folder\\n");\n',
  "package.json": '{"type": "commonjs", "imports": {"#x": "./preloaded.js"}}\n',
  "tsconfig.json": "not JSON at all",
};

describe("a folder with files of other tools", () => {
  for (const kind of ["executable", "node"] as const)
    it(`is nothing to the program (${kind})`, async () => {
      await using program = await Program.open(kind);
      const cwd = path.join(program.folder, "project");
      await mkdir(cwd);
      for (const [name, text] of Object.entries(files)) await writeFile(path.join(cwd, name), text);
      await program.ok(["create", "-d", "none", "--url", "tcp://127.0.0.1:1", "web"]);
      assert.equal(await program.ok(["ls", "-q"], { cwd }), "web\n");
      assert.match(await program.ok(["version"], { cwd }), /^docker-machine(?:\.cjs)? version \S+, build \S+\n$/u);
    });
});
