/** Documents that are made from code are as the code says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { errorsDocument } from "../scripts/errors-doc.ts";

test("docs/errors.md lists every error code", () => {
  assert.equal(readFileSync("docs/errors.md", "utf8"), errorsDocument());
});
