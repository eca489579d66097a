import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import { escapeForShell, isPattern } from "./remote-path.ts";

const odd = [
  "a b",
  "it's",
  '"q"',
  "$(touch x)",
  "`touch x`",
  "a;b",
  "a&b|c",
  "{a,b}",
  "!x",
  "#x",
  "a\\b",
  "a\tb",
  "ü",
  "a<b>c",
  "-n",
];

for (const shell of ["sh", "bash", "dash", "zsh", "fish", "tcsh"]) {
  const missing = spawnSync(shell, ["-c", "true"]).error !== undefined && `${shell} is not installed`;
  test(`what is escaped reaches a program as one word through ${shell}`, { skip: missing }, () => {
    for (const path of [...odd, "a*b", "[x]", "a?"]) {
      const { stdout } = spawnSync(shell, ["-c", `/usr/bin/printf '%s|' ${escapeForShell(path, "destination")}`], {
        encoding: "utf8",
      });
      assert.equal(stdout, `${path}|`);
    }
  });
}

test("the home and the patterns of a source stay what they are", () => {
  assert.equal(escapeForShell("~/a b/*.log", "source"), "~/a\\ b/*.log");
  assert.equal(escapeForShell("~pat/x", "source"), "~pat/x");
  assert.equal(escapeForShell("~/a*", "destination"), "~/a\\*");
  assert.equal(escapeForShell("a~", "source"), "a\\~");
  assert.deepEqual(["a*", "a?", "[a]", "a b"].map(isPattern), [true, true, true, false]);
});

test("a line break in a path is refused", () => {
  assert.throws(
    () => escapeForShell("a\nb", "source"),
    (error) => isMachineError(error, "copy-failed"),
  );
});
