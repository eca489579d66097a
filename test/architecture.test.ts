/** Holds the rules of ARCHITECTURE.md: who may import whom, where the outside world is touched, registry = folders. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";
import { test } from "node:test";

const layers: readonly (readonly string[])[] = [
  ["errors", "log"],
  ["system", "gocompat"],
  ["driver-kit", "ssh", "tls", "engine"],
  ["store", "provision", "plugin", "drivers"],
  ["team"],
  ["machine"],
  ["assembly", "fleet"],
  ["cli"],
];
/** The public entries sit on top of everything. */
const roots = new Set(["index.ts", "client.ts", "driver.ts", "testing.ts", "testing"]);

interface Import {
  readonly from: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

const sources = globSync("src/**/*.ts").filter((file) => !file.endsWith(".test.ts"));
const imports = sources.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const text = readFileSync(file, "utf8");
  const statements = text.matchAll(
    /^(?:import|export)\s+(type\s)?[^;]*?from\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\("([^"]+)"\)/gmu,
  );
  return [...statements].map(([, type, named, bare, dynamic]) => ({
    from: file,
    specifier: named ?? bare ?? dynamic ?? "",
    typeOnly: type !== undefined,
  }));
}

function folderOf(file: string): string {
  return path.relative("src", file).split(path.sep)[0] ?? "";
}

function layerOf(folder: string): number {
  return roots.has(folder) ? layers.length : layers.findIndex((layer) => layer.includes(folder));
}

function targetOf({ from, specifier }: Import): string | undefined {
  return specifier.startsWith(".") ? path.join(path.dirname(from), specifier) : undefined;
}

function violations(breaks: (found: Import, target: string) => boolean): string[] {
  return imports.flatMap((found) => {
    const target = targetOf(found);
    return target !== undefined && breaks(found, target) ? [`${found.from} imports ${target}`] : [];
  });
}

test("every folder of src is in a layer", () => {
  const folders = readdirSync("src", { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  assert.deepEqual(
    folders.filter((folder) => layerOf(folder) === -1),
    [],
  );
});

/** A guest's host keys are made as login keys are, and its engine has an address: formats and a constant, no connection. */
const beneathDrivers = ["src/ssh/host-key-pair.ts", "src/engine/engine-address.ts"];

test("imports point down, or stay in their folder", () => {
  const found = violations(({ from, typeOnly }, target) => {
    const [own, other] = [folderOf(from), folderOf(target)];
    if (own === other || roots.has(own) || from.endsWith(".test.ts")) return false;
    // The contract of drivers and of provisioning names an executor; it does not use one.
    if (typeOnly && layerOf(own) === 2 && layerOf(other) === 2) return false;
    if (own === "driver-kit" && beneathDrivers.includes(target)) return false;
    return layerOf(other) >= layerOf(own);
  });
  assert.deepEqual(found, []);
});

test("no files import each other in a circle", () => {
  let left = imports.flatMap((found) => {
    const target = targetOf(found);
    return target === undefined ? [] : [{ from: found.from, target }];
  });
  // A file that imports nothing which is left, or that nothing left imports, is in no circle.
  for (let before = Number.POSITIVE_INFINITY; left.length < before;) {
    before = left.length;
    const [importing, imported] = [new Set(left.map(({ from }) => from)), new Set(left.map(({ target }) => target))];
    left = left.filter(({ from, target }) => importing.has(target) && imported.has(from));
  }
  assert.deepEqual(
    left.map(({ from, target }) => `${from} imports ${target}`),
    [],
  );
});

/** The story of provisioning, a room a step; what is asked of it and what it is given come before the first. */
const provisionRooms = ["shell", "facts", "engine", "install", "firewall", "lifetime", "families", "plan", "scripts", "host"];
const provisionContracts = ["provision-context.ts", "provision-request.ts"];

test("the rooms of provisioning use what comes before them in the story", () => {
  const stepOf = (file: string): number => {
    const [room = ""] = path.relative("src/provision", file).split(path.sep);
    if (provisionContracts.includes(room)) return -1;
    return room.endsWith(".ts") ? provisionRooms.length : provisionRooms.indexOf(room);
  };
  const isProvision = (file: string): boolean => folderOf(file) === "provision";
  const found = violations(
    ({ from, typeOnly }, target) => !typeOnly && isProvision(from) && isProvision(target) && stepOf(target) > stepOf(from),
  );
  assert.deepEqual(found, []);
  const rooms = readdirSync("src/provision", { withFileTypes: true }).filter((entry) => entry.isDirectory());
  assert.deepEqual(rooms.map((entry) => entry.name).toSorted(), provisionRooms.toSorted());
});

test("a driver never imports another driver", () => {
  const driverOf = (file: string): string | undefined => /^src\/drivers\/([^/]+)\//u.exec(file)?.[1];
  const found = violations(
    ({ from }, target) => driverOf(from) !== undefined && driverOf(target) !== undefined && driverOf(from) !== driverOf(target),
  );
  assert.deepEqual(found, []);
});

test("only the assembly imports the registry of drivers", () => {
  const found = violations(({ from }, target) => target === "src/drivers/registry.ts" && !from.startsWith("src/assembly/"));
  assert.deepEqual(found, []);
});

test("the registry of drivers and the folders agree", async () => {
  const { builtinDrivers } = await import("../src/drivers/registry.ts");
  const folders = readdirSync("src/drivers", { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
  assert.deepEqual(Object.keys(builtinDrivers).sort(), folders.sort());
  for (const [name, load] of Object.entries(builtinDrivers)) assert.equal((await load()).name, name);
});

test("every driver passes the contract suite and the crash suite, and has its page", async () => {
  const { builtinDrivers } = await import("../src/drivers/registry.ts");
  const lacking = Object.keys(builtinDrivers).flatMap((name) => {
    const files = globSync([
      `src/drivers/${name}/**/*.test.ts`,
      `test/drivers/${name}/**/*.test.ts`,
      `test/drivers/${name}*.test.ts`,
    ]);
    const texts = files.map((file) => readFileSync(file, "utf8"));
    const suites = ["describeDriverContract", "describeDriverCrashes"].filter(
      (suite) => !texts.some((text) => text.includes(`${suite}(`)),
    );
    const page = existsSync(`docs/drivers/${name}.md`) ? [] : ["page"];
    return [...suites, ...page].map((what) => `${name}: ${what}`);
  });
  assert.deepEqual(lacking, []);
  const pages = globSync("docs/drivers/*.md").map((file) => path.basename(file, ".md"));
  assert.deepEqual(
    pages.filter((name) => !Object.hasOwn(builtinDrivers, name)),
    [],
  );
});

test("opening a driver loads no package", () => {
  const script = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ load: (url, context, next) => (url.includes("/node_modules/") && loaded.push(url), next(url, context)) });
    const { builtinDrivers } = await import("./src/drivers/registry.ts");
    const { testDriverContext } = await import("./src/testing/driver-context.ts");
    for (const load of Object.values(builtinDrivers)) {
      const module = await load();
      await using made = await testDriverContext("web");
      const driver = module.open(made.context, undefined);
      await driver.configText();
      await driver.getIp();
      if (loaded.length > 0) console.log(module.name, loaded.splice(0).join("\\n"));
    }`;
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module-typescript", "-e", script], {
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.deepEqual([stdout, status], ["", 0], stderr);
});

test("files, processes and the environment are touched in few places", () => {
  const allowed = /^src\/(?:system|ssh|store|plugin|engine|tls|cli|testing)\//u;
  const found = imports.filter(
    ({ from, specifier, typeOnly }) =>
      !typeOnly && /^node:(?:fs|child_process|net|tls|https?)(?:\/|$)/u.test(specifier) && !allowed.test(from),
  );
  assert.deepEqual(
    found.map(({ from, specifier }) => `${from} imports ${specifier}`),
    [],
  );
  const environment = sources.filter(
    (file) => !/^src\/(?:system|cli)\//u.test(file) && /\bprocess\.env\b/u.test(readFileSync(file, "utf8")),
  );
  assert.deepEqual(environment, []);
});

test("the library does not know the command line", () => {
  const found = violations(({ from }, target) => !from.includes(path.sep, 4) && target.startsWith("src/cli/"));
  assert.deepEqual(found, []);
});

test("gocompat and errors do no I/O", () => {
  const found = imports.filter(
    ({ from, specifier, typeOnly }) => /^src\/(?:gocompat|errors)\//u.test(from) && !typeOnly && specifier.startsWith("node:"),
  );
  assert.deepEqual(
    found.map(({ from, specifier }) => `${from} imports ${specifier}`),
    [],
  );
});
