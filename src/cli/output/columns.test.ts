import assert from "node:assert/strict";
import { test } from "node:test";
import { columns } from "./columns.ts";

const rows = [
  ["NAME", "DESCRIPTION"],
  ["docker", "containers of this computer, with an engine each"],
];

test("columns are as wide as their widest cell, and the last as its text", () => {
  assert.deepEqual(columns(rows), ["NAME     DESCRIPTION", "docker   containers of this computer, with an engine each"]);
  assert.deepEqual(columns([]), []);
});

test("the last column is broken between words where it does not fit", () => {
  assert.deepEqual(columns(rows, 40), [
    "NAME     DESCRIPTION",
    "docker   containers of this computer,",
    "         with an engine each",
  ]);
});

test("the last column stands below its row where there is too little room beside it", () => {
  assert.deepEqual(columns(rows, 24), [
    "NAME     DESCRIPTION",
    "docker",
    "  containers of this",
    "  computer, with an",
    "  engine each",
  ]);
});
