/** `docker-machine driver ls | inspect | serve | new`, and the program as a plugin. */
import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { FakeRun } from "../../src/cli/testing/fake-main.ts";
import { version } from "../../src/cli/version.ts";
import { builtinDrivers } from "../../src/drivers/registry.ts";
import { loadPluginModule } from "../../src/plugin/plugin-module.ts";
import { systemClock } from "../../src/system/clock.ts";
import { thisComputer } from "../../src/system/computer.ts";
import { SystemProcessRunner } from "../../src/system/process.ts";
import { pluginFixture, runtimeWith, type PluginFixture } from "./plugin-fixture.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const bin = path.join(root, "src/cli/bin.ts");
const sample = fileURLToPath(new URL("served-plugin.ts", import.meta.url));
const processes = new SystemProcessRunner(thisComputer());
let fixture: PluginFixture;

before(async () => {
  fixture = await pluginFixture();
  await fixture.addScript("sample", `import(${JSON.stringify(sample)});\n`);
  await fixture.addScript("broken", 'console.log("hello");\n');
  await fixture.addScript("none", "");
});

after(async () => await fixture[Symbol.asyncDispose]());

/** Runs the program within this process, with only the fixture's folder on PATH. */
async function run(...words: readonly string[]) {
  const env = { ...process.env, PATH: fixture.folder, NODE_OPTIONS: "" } as Record<string, string>;
  return await new FakeRun({ env, computer: { cwd: fixture.folder } }).main(...words);
}

test("driver ls lists the built-in drivers, then plugins with what is wrong with them", async () => {
  const { code, stdout } = await run("driver", "ls");
  assert.equal(code, 0);
  const [header, ...rows] = stdout.trimEnd().split("\n");
  assert.match(header ?? "", /^NAME +KIND +VERSION +DESCRIPTION$/u);
  const builtins = rows.slice(0, Object.keys(builtinDrivers).length);
  assert.deepEqual(
    builtins.map((row) => row.split(/ +/u).slice(0, 3)),
    Object.keys(builtinDrivers)
      .toSorted()
      .map((name) => [name, "built-in", version]),
  );
  const plugins = rows.slice(builtins.length).map((row) => row.split(/ {2,}/u));
  const program = (name: string): string => path.join(fixture.folder, `docker-machine-driver-${name}`);
  assert.deepEqual(plugins, [
    [
      "broken",
      "plugin",
      "-",
      `${program("broken")}: The driver plugin ${program("broken")} printed something other than its address first: "hello"`,
    ],
    ["none", "plugin", "-", `${program("none")}: not used: the built-in driver has this name`],
    ["sample", "plugin", "API 1", program("sample")],
  ]);
});

test("driver ls as JSON", async () => {
  const { stdout } = await run("driver", "ls", "--output", "json");
  const drivers = JSON.parse(stdout) as { name: string; problem?: string }[];
  assert.deepEqual(drivers.at(-1), {
    name: "sample",
    kind: "plugin",
    summary: "",
    path: path.join(fixture.folder, "docker-machine-driver-sample"),
    version: "API 1",
  });
  assert.match(drivers.find(({ name }) => name === "broken")?.problem ?? "", /printed something other/u);
});

test("driver inspect shows the flags of a plugin and of a built-in driver", async () => {
  const plugin = await run("driver", "inspect", "sample");
  assert.equal(plugin.code, 0);
  assert.match(plugin.stdout, /^sample: plugin .*docker-machine-driver-sample\n/u);
  assert.match(plugin.stdout, /^ {3}--sample-text "plain"\t+a text \[\$SAMPLE_TEXT\]$/mu);
  assert.match(plugin.stdout, /^ {3}--sample-list \[--sample-list option --sample-list option\]\ta list$/mu);
  const builtin = await run("driver", "inspect", "none", "--output", "json");
  assert.deepEqual((JSON.parse(builtin.stdout) as { flags: unknown }).flags, [
    { name: "url", kind: "string", usage: "URL of host when no driver is selected", default: "" },
  ]);
});

test("driver inspect of a driver that is not there, or broken, exits 1 with its sentence", async () => {
  const missing = await run("driver", "inspect", "nosuch");
  assert.equal(missing.code, 1);
  assert.match(
    missing.stderr,
    /^Driver "nosuch" not found\. Do you have the plugin binary "docker-machine-driver-nosuch" accessible in your PATH\?\nHint: Built in are amazonec2, azure, .*\.\n$/u,
  );
  const broken = await run("driver", "inspect", "broken");
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /printed something other than its address first/u);
});

test("the program is a plugin when a tool starts it as one, whatever its arguments", async () => {
  await using served = await pluginFixture();
  await served.addScript(
    "generic",
    `process.argv[1] = ${JSON.stringify(bin)}; process.argv.push("ls"); import(process.argv[1]);\n`,
  );
  const module = await loadPluginModule(
    "generic",
    { ...served, clock: systemClock, report: served.context.report },
    runtimeWith(),
  );
  const { flags } = await builtinDrivers.generic();
  assert.deepEqual(
    module.flags.map(({ name }) => name),
    flags.map(({ name }) => name),
  );
});

test("driver serve serves what it names, whatever the launcher is called", async () => {
  await using served = await pluginFixture();
  await served.addScript(
    "mine",
    `process.argv[1] = ${JSON.stringify(bin)}; process.argv.push("driver", "serve", "none"); import(process.argv[1]);\n`,
  );
  const module = await loadPluginModule("mine", { ...served, clock: systemClock, report: served.context.report }, runtimeWith());
  assert.deepEqual(
    module.flags.map(({ name }) => name),
    ["url"],
  );
});

test("a plugin's program started by hand says what it is", async () => {
  const { code, stderr } = await run("driver", "serve", "none");
  assert.equal(code, 1);
  assert.match(stderr, /^This is a Docker Machine plugin binary\.\n/u);
  assert.deepEqual(
    (await run("driver", "serve", "nosuch")).stderr.split("\n")[0],
    'There is no built-in driver "nosuch" to serve',
  );
});

test("driver new writes a project that passes the contract suite and runs as a plugin", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "driver-new-"));
  try {
    const result = await new FakeRun({ computer: { cwd: folder } }).main("driver", "new", "mycloud");
    assert.equal(result.code, 0, result.stderr);
    const project = path.join(folder, "docker-machine-driver-mycloud");
    await installInto(project, path.join(folder, "package"));
    const check = await processes.run(
      process.execPath,
      [path.join(root, "node_modules/typescript/bin/tsc"), "-p", project, "--noEmit"],
      { cwd: project },
    );
    assert.equal(check.status, 0, check.stdout.toString());
    const tests = await processes.run(process.execPath, ["--test", "src/driver.test.ts"], {
      cwd: project,
      env: { ...process.env, NODE_TEST_CONTEXT: undefined },
    });
    assert.equal(tests.status, 0, tests.stdout.toString());
    assert.match(tests.stdout.toString(), /fail 0/u);
    await using served = await pluginFixture();
    await served.addScript("mycloud", `import(${JSON.stringify(path.join(project, "src/main.ts"))});\n`);
    const module = await loadPluginModule(
      "mycloud",
      { ...served, clock: systemClock, report: served.context.report },
      runtimeWith(),
    );
    assert.deepEqual(
      module.flags.map(({ name }) => name),
      ["mycloud-endpoint", "mycloud-token", "mycloud-size", "mycloud-open-port"],
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** What `npm install` does, with this package from its sources. */
async function installInto(project: string, packageFolder: string): Promise<void> {
  const exports = { "./driver": "./src/driver.ts", "./testing": "./src/testing.ts" };
  await mkdir(packageFolder);
  await writeFile(
    path.join(packageFolder, "package.json"),
    JSON.stringify({ name: "@docker-machine/cli", version, type: "module", exports }),
  );
  await symlink(path.join(root, "src"), path.join(packageFolder, "src"));
  for (const scope of ["@types", "@docker-machine"]) await mkdir(path.join(project, "node_modules", scope), { recursive: true });
  await symlink(packageFolder, path.join(project, "node_modules", "@docker-machine/cli"));
  await symlink(path.join(root, "node_modules/@types/node"), path.join(project, "node_modules/@types/node"));
}

test("driver new overwrites nothing and wants a name that tools can read", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "driver-new-"));
  try {
    await mkdir(path.join(folder, "docker-machine-driver-taken"));
    await writeFile(path.join(folder, "docker-machine-driver-taken", "mine"), "");
    const runHere = async (name: string) => await new FakeRun({ computer: { cwd: folder } }).main("driver", "new", name);
    assert.match((await runHere("taken")).stderr, /exists already and is not empty/u);
    assert.deepEqual(await readdir(path.join(folder, "docker-machine-driver-taken")), ["mine"]);
    for (const name of ["my-cloud", "MyCloud", "../x", ""]) assert.equal((await runHere(name)).code, 2, name);
    await chmod(folder, 0o755);
  } finally {
    await rm(folder, { recursive: true });
  }
});
