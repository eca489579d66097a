import assert from "node:assert/strict";
import { test } from "node:test";
import { isFolderName, machineLockOf, resolveStoreRoot } from "./paths.ts";

const linux = { homeDir: "/home/ana", cwd: "/home/ana/project", os: "linux" } as const;

test("the store is in the home directory unless another is named", () => {
  assert.equal(resolveStoreRoot(linux, undefined), "/home/ana/.docker/machine");
  assert.equal(resolveStoreRoot(linux, ""), "/home/ana/.docker/machine");
  assert.equal(resolveStoreRoot(linux, "/srv/machines/"), "/srv/machines");
  assert.equal(resolveStoreRoot(linux, "here"), "/home/ana/project/here");
  assert.equal(resolveStoreRoot({ ...linux, homeDir: undefined }, "/srv/x"), "/srv/x");
});

test("without a home directory the message says what to set", () => {
  assert.throws(() => resolveStoreRoot({ ...linux, homeDir: undefined }, undefined), {
    code: "store-unusable",
    message: "Cannot tell where the machines are stored: HOME is not set",
    hint: "Set HOME, or name the folder with --storage-path or MACHINE_STORAGE_PATH.",
  });
  assert.throws(() => resolveStoreRoot({ ...linux, homeDir: undefined, os: "windows" }, undefined), /USERPROFILE is not set/u);
});

test("names from old stores are folder names, paths are not", () => {
  for (const name of ["web", "web_1", "Ünïcode", "a b", "-x", "a.b"]) assert.equal(isFolderName(name), true, name);
  for (const name of ["", ".", "..", ".x", "a/b", "a\\b", "a\0"]) assert.equal(isFolderName(name), false, name);
});

test("names that are one on some file systems have one lock", () => {
  assert.equal(machineLockOf("/s", "Web"), machineLockOf("/s", "web"));
});
