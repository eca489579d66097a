import assert from "node:assert/strict";
import * as path from "node:path";
import { test } from "node:test";
import { absoluteFile, namesIn, takeOldDefaults, wordsInPairs } from "./given-options.ts";

test("a file stands where the command was given, and none is none", () => {
  assert.equal(absoluteFile("key.pem", "/home/alice"), path.resolve("/home/alice", "key.pem"));
  assert.equal(absoluteFile("/etc/key.pem", "/home/alice"), path.resolve("/etc/key.pem"));
  assert.equal(absoluteFile("", "/home/alice"), "");
});

test("words come in pairs, and names without what surrounds them", () => {
  assert.deepEqual(wordsInPairs(["a", "1", "b", "2", "c"]), [
    ["a", "1"],
    ["b", "2"],
    ["c", ""],
  ]);
  assert.deepEqual(namesIn(" a, b,,"), ["a", "b"]);
});

test("old defaults are taken where 0.16.2's are asked for and nothing was given", () => {
  const old = { Image: "xenial", Size: "small" };
  const taken = (env: Readonly<Record<string, string>>): object => {
    const config = { Image: "noble", Size: "large", Region: "nyc3" };
    takeOldDefaults(config, old, { env }, (field) => field === "Size");
    return config;
  };
  assert.deepEqual(taken({ MACHINE_COMPAT: "0.16" }), { Image: "xenial", Size: "large", Region: "nyc3" });
  assert.deepEqual(taken({}), { Image: "noble", Size: "large", Region: "nyc3" });
});
