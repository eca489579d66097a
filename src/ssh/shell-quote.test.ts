import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import { quoteCommand, quoteWord } from "./shell-quote.ts";

const noShell = process.platform === "win32" ? "needs a POSIX shell" : false;

test("a real shell gets exactly the words that were quoted", { skip: noShell }, () => {
  const anyText = fc.string({
    unit: fc.oneof(fc.constantFrom(..."'\"\\$`!*?[]{}()<>|&;# \t\n~=".split("")), fc.string({ unit: "grapheme", maxLength: 1 })),
  });
  const word = anyText.map((text) => text.replaceAll("\0", ""));
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 80 }), (words) => {
      const { stdout } = spawnSync("sh", ["-c", `printf '%s\\0' ${quoteCommand(words)}`]);
      assert.deepEqual(
        stdout.toString("utf8").split("\0").slice(0, -1),
        words.map((text) => Buffer.from(text).toString("utf8")),
      );
    }),
    { numRuns: 25 },
  );
});

test("plain words stay readable", () => {
  assert.equal(quoteCommand(["cp", "/etc/a-b.c", "user@host:x"]), "cp /etc/a-b.c user@host:x");
});

test("an empty word is a word", () => {
  assert.equal(quoteWord(""), "''");
});

test("NUL cannot be quoted", () => {
  assert.throws(() => quoteWord("a\0b"), RangeError);
});
