/** The files of a new driver's project: a driver for a provider with an HTTP API, its tests, and the plugin's program. Pure. */
import { pluginPrefix } from "../../plugin/plugin-environment.ts";
import { version } from "../version.ts";
import { apiSource } from "./api-source.ts";
import { driverSource } from "./driver-source.ts";
import { fakeApiSource } from "./fake-api-source.ts";
import { readme } from "./readme.ts";

/** Texts by path within the project. `name` is in lower case, of letters and digits. */
export function driverProject(name: string): Readonly<Record<string, string>> {
  const className = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return {
    ".gitignore": "node_modules/\ndist/\n",
    "package.json": json(packageManifest(name)),
    "tsconfig.json": json(compilerConfig),
    "README.md": readme(name),
    "src/api.ts": apiSource,
    "src/fake-api.ts": fakeApiSource,
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
    dependencies: { "docker-machine": `^${version}` },
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
import { driverOptions } from "docker-machine/driver";
import { describeDriverContract, testDriverContext } from "docker-machine/testing";
import { driverModule } from "./driver.ts";
import { fakeToken, startFakeApi } from "./fake-api.ts";

const fake = await startFakeApi();
const flags = { "${name}-endpoint": fake.endpoint, "${name}-token": fakeToken, "${name}-size": "large" };

// What holds for every driver.
describeDriverContract("${name}", async () => ({
  module: driverModule,
  flags,
  refusedFlags: { "${name}-endpoint": fake.endpoint },
  lifecycle: { timeoutMs: 30_000 },
}));

// What is special about this one.
test("an instance is made as it was asked for", async () => {
  await using testContext = await testDriverContext("web");
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(driverOptions(flags));
  const signal = AbortSignal.timeout(30_000);
  await driver.create(signal);
  const [{ id } = { id: "" }] = (await driver.findResources?.(signal)) ?? [];
  assert.equal(fake.instances.get(id)?.size, "large");
  assert.match(fake.instances.get(id)?.publicKey ?? "", /^ssh-/u);
  assert.equal(await driver.getUrl(), "tcp://192.0.2.10:2376");
  await driver.remove(signal);
  assert.equal(fake.instances.has(id), false);
});

test("a wrong token is the provider's error, before anything is made", async () => {
  await using testContext = await testDriverContext("web");
  const driver = driverModule.open(testContext.context, undefined);
  await driver.setConfigFromFlags(driverOptions({ ...flags, "${name}-token": "wrong" }));
  await assert.rejects(driver.preCreateCheck(AbortSignal.timeout(30_000)), /401 .*bad token/u);
});
`;
}

function mainSource(name: string): string {
  return `#!/usr/bin/env node
/** The program ${pluginPrefix}${name}. */
import { servePlugin } from "docker-machine/driver";
import { driverModule } from "./driver.ts";

await servePlugin(driverModule);
`;
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
