import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, before, test } from "node:test";
import { thisComputer, type Computer } from "../system/computer.ts";
import { findPlugin, listPlugins } from "./discover.ts";

let root = "";
const inRoot = (...parts: string[]): string => path.join(root, ...parts);

before(async () => {
  root = await mkdtemp(path.join(tmpdir(), "discover-"));
  await mkdir(inRoot("first"));
  await mkdir(inRoot("second", "docker-machine-driver-folder"), { recursive: true });
  for (const file of ["first/docker-machine-driver-a", "second/docker-machine-driver-a", "second/docker-machine-driver-b.c"]) {
    await writeFile(inRoot(file), "");
    await chmod(inRoot(file), 0o755);
  }
  await writeFile(inRoot("first", "docker-machine-driver-plain"), "");
  await writeFile(inRoot("second", "other"), "");
});

after(async () => await rm(root, { recursive: true }));

const withPath = (...folders: string[]): Computer => ({
  ...thisComputer(),
  os: "linux",
  cwd: root,
  env: { PATH: folders.join(":") },
});

test("the first folder of PATH that has the program counts", async () => {
  const computer = withPath(inRoot("missing"), inRoot("first"), inRoot("second"));
  assert.deepEqual(await findPlugin("a", computer), { name: "a", program: inRoot("first", "docker-machine-driver-a") });
  assert.deepEqual(await listPlugins(computer), [
    { name: "a", program: inRoot("first", "docker-machine-driver-a") },
    { name: "b.c", program: inRoot("second", "docker-machine-driver-b.c") },
  ]);
});

test("folders, files that cannot be run, and names with slashes are no plugins", async () => {
  const computer = withPath(inRoot("first"), inRoot("second"));
  for (const name of ["folder", "plain", "nosuch", "", "../first/docker-machine-driver-a", "./a"]) {
    assert.equal(await findPlugin(name, computer), undefined, name);
  }
});

test("what lies in the current folder is never run because of a relative PATH entry", async () => {
  assert.equal(await findPlugin("a", withPath("first", ".", "")), undefined);
  assert.deepEqual(await listPlugins(withPath("first", ".", "")), []);
});

test("an absolute path is the program itself", async () => {
  const program = inRoot("second", "docker-machine-driver-b.c");
  assert.deepEqual(await findPlugin(program, withPath()), { name: program, program });
  assert.equal(await findPlugin(inRoot("second", "other"), withPath()), undefined);
});
