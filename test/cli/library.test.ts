/** The examples of docs/library.md, compiled and run as a program that has the package installed. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { describe, it } from "node:test";
import { DockerMachine } from "../../src/index.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { temporaryFolder } from "../../src/system/testing/folder.ts";

const root = path.resolve(import.meta.dirname, "../..");
const examples = [...readFileSync("docs/library.md", "utf8").matchAll(/^```ts\n([\s\S]*?)^```$/gmu)].map(([, text = ""]) => text);

const outputs = [/^web Running Unable to query docker version: .*\nno engine answers there: \S.*\n$/u, /^db of none\n$/u];

describe("the examples of the library", () => {
  it("compile, and do what they say", () => {
    assert.equal(examples.length, outputs.length);
    const project = temporaryFolder();
    const installed = path.join(project, "node_modules/@docker-machine/cli");
    mkdirSync(installed, { recursive: true });
    for (const entry of ["package.json", "dist", "node_modules"])
      symlinkSync(path.join(root, entry), path.join(installed, entry));
    mkdirSync(path.join(project, "node_modules/@types"));
    symlinkSync(path.join(root, "node_modules/@types/node"), path.join(project, "node_modules/@types/node"));
    const options = { strict: true, module: "nodenext", target: "es2024", types: ["node"], noEmit: true, skipLibCheck: false };
    writeFileSync(path.join(project, "package.json"), '{"type": "module"}');
    writeFileSync(path.join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: options, include: ["*.ts"] }));
    for (const [index, text] of examples.entries()) writeFileSync(path.join(project, `example${index}.ts`), text);
    execFileSync(path.join(root, "node_modules/.bin/tsc"), ["-p", project], { stdio: "pipe" });
    for (const [index, expected] of outputs.entries()) {
      const env = { ...process.env, EXAMPLE_STORE: path.join(project, "store"), NODE_NO_WARNINGS: "1" };
      const out = execFileSync(process.execPath, [`example${index}.ts`], { cwd: project, env, encoding: "utf8" });
      assert.match(out, expected);
    }
  });
});

describe("DockerMachine", () => {
  const machines = (): DockerMachine => new DockerMachine({ storagePath: temporaryFolder() });

  it("gives flags that are left out their defaults", async () => {
    const client = machines();
    await client.create("web", { driver: "none", flags: { url: "tcp://127.0.0.1:1" } });
    const { hostOptions } = await client.context.store.load("web");
    assert.equal(hostOptions.EngineOptions.InstallURL, "https://get.docker.com");
    assert.equal(hostOptions.SwarmOptions.Host, "tcp://0.0.0.0:3376");
  });

  it("refuses a flag that there is none of, and makes nothing", async () => {
    const client = machines();
    await assert.rejects(client.create("web", { driver: "none", flags: { ulr: "tcp://127.0.0.1:1" } }), (error) =>
      isMachineError(error, "driver-options"),
    );
    assert.deepEqual(await client.list(), []);
  });

  it("stops where its signal says so", async () => {
    const client = machines();
    await client.create("web", { driver: "none", flags: { url: "tcp://127.0.0.1:1" } });
    await assert.rejects(client.list({ signal: AbortSignal.abort(new Error("enough")) }), /enough/u);
  });
});
