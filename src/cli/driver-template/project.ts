/** The files of a new driver's project: a driver for a provider with an HTTP API, its tests, and the plugin's program. Pure. */
import { pluginPrefix } from "../../plugin/plugin-environment.ts";
import { version } from "../version.ts";
import { driverSource } from "./driver-source.ts";
import { readme } from "./readme.ts";

/** Texts by path within the project. `name` is in lower case, of letters and digits. */
export function driverProject(name: string): Readonly<Record<string, string>> {
  const className = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return {
    ".gitignore": "node_modules/\ndist/\n",
    "package.json": json(packageManifest(name)),
    "tsconfig.json": json(compilerConfig),
    "README.md": readme(name),
    "src/driver.ts": driverSource(name, className, name.toUpperCase()),
    "src/driver.test.ts": testSource(name),
    "src/main.ts": mainSource(name),
  };
}

function packageManifest(name: string): object {
  return {
    name: `${pluginPrefix}${name}`,
    version: "0.1.0",
    type: "module",
    engines: { node: ">=22.18" },
    bin: { [`${pluginPrefix}${name}`]: "dist/main.js" },
    files: ["dist"],
    scripts: { build: "tsc", prepare: "tsc", test: "node --test src/*.test.ts" },
    dependencies: { "@docker-machine/cli": `^${version}` },
    devDependencies: { "@types/node": "^24.0.0", typescript: "^7.0.0" },
  };
}

const compilerConfig = {
  compilerOptions: {
    target: "es2024",
    module: "nodenext",
    types: ["node"],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noImplicitOverride: true,
    verbatimModuleSyntax: true,
    erasableSyntaxOnly: true,
    rewriteRelativeImportExtensions: true,
    skipLibCheck: true,
    rootDir: "src",
    outDir: "dist",
  },
  include: ["src"],
};

function testSource(name: string): string {
  return `import assert from "node:assert/strict";
import { test } from "node:test";
import { contractMachineName, crashMachineName, describeDriverContract, describeDriverCrashes, FakeClock, FakeProvider, testMachine } from "@docker-machine/cli/testing";
import { driverModule } from "./driver.ts";

/** A provider in this process, in which somebody else has things of the same names. Its API is your provider's: see FakeApi. */
async function fixture() {
  const provider = await FakeProvider.start();
  provider.token = "fake-token";
  for (const kind of ["instance", "firewall"])
    for (const name of [contractMachineName, crashMachineName]) provider.addForeign(kind, name);
  const flags = { "${name}-endpoint": provider.url, "${name}-token": "fake-token", "${name}-size": "large" };
  return { ...provider.fixture(), provider, module: driverModule, flags, context: { clock: new FakeClock() } };
}

// What holds for every driver.
describeDriverContract("${name}", fixture, { refusedFlags: {}, lifecycle: { timeoutMs: 60_000 } });
describeDriverCrashes("${name}", fixture);

// What is special about this one.
test("an instance is made as it was asked for, behind a firewall", async () => {
  const { provider, module, flags } = await fixture();
  await using _provider = provider;
  await using machine = await testMachine(module, { ...flags, "${name}-open-port": ["8080"] });
  await machine.driver.create(AbortSignal.timeout(30_000));
  const made = provider.ours();
  const { size, userData } = made.find(({ kind }) => kind === "instance")?.fields ?? {};
  assert.equal(size, "large");
  assert.match(String(userData), /^#cloud-config\\n[^]*ssh-ed25519 /u);
  assert.match(JSON.stringify(made.find(({ kind }) => kind === "firewall")?.fields), /8080/u);
});

test("no room there is told as such", async () => {
  const { provider, module, flags } = await fixture();
  await using _provider = provider;
  provider.resources.room.set("instance", 0);
  await using machine = await testMachine(module, flags);
  await assert.rejects(machine.driver.create(AbortSignal.timeout(30_000)), { code: "provider-capacity" });
});
`;
}

function mainSource(name: string): string {
  return `#!/usr/bin/env node
/** The program ${pluginPrefix}${name}. */
import { servePlugin } from "@docker-machine/cli/driver";
import { driverModule } from "./driver.ts";

await servePlugin(driverModule);
`;
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
