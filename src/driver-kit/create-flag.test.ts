import assert from "node:assert/strict";
import { test } from "node:test";
import { driverOptions, overlayOptions } from "./create-flag.ts";

test("an overlay replaces values of every kind, and says that they are given", () => {
  const given = { name: "a", count: 1, on: false, list: ["x"], kept: "k", "kept-list": ["l"] };
  const options = driverOptions(given, new Set(["kept"]));
  const over = overlayOptions(options, { name: "", count: 22, on: true, list: ["y", "z"] });
  assert.equal(over.string("name"), "");
  assert.equal(over.int("count"), 22);
  assert.equal(over.bool("on"), true);
  assert.deepEqual(over.strings("list"), ["y", "z"]);
  assert.equal(over.string("kept"), "k");
  assert.deepEqual(over.strings("kept-list"), ["l"]);
  assert.deepEqual(over.all(), { ...given, name: "", count: 22, on: true, list: ["y", "z"] });
  assert.deepEqual(
    ["name", "list", "kept", "kept-list"].map((name) => over.isSet(name)),
    [true, true, true, false],
  );
  assert.equal(options.string("name"), "a");
});

test("an overlay's value of another kind reads as nothing, as any option's does", () => {
  const over = overlayOptions(driverOptions({ count: 1 }), { count: "22" });
  assert.equal(over.int("count"), 0);
  assert.equal(over.string("constructor"), "");
});
