/** Documents that are made from code are as the code says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { completionScriptsModule, target as completionScripts } from "../scripts/completion-scripts.ts";
import { errorsDocument } from "../scripts/errors-doc.ts";

test("docs/errors.md lists every error code", () => {
  assert.equal(readFileSync("docs/errors.md", "utf8"), errorsDocument());
});

test("the program holds the completion scripts as they stand in completions/", () => {
  assert.equal(readFileSync(completionScripts, "utf8"), completionScriptsModule());
});
