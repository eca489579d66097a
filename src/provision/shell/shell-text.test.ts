import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { runShell, shells } from "../../../test/support/shells.ts";
import { quoteWord } from "../../ssh/shell-quote.ts";
import { hereDocument, joinLines, sh, ShellText } from "./shell-text.ts";

const anyWord = fc.string({ unit: "binary", maxLength: 30 }).filter((word) => !word.includes("\0") && word.isWellFormed());
const words = [
  "",
  "plain",
  "two words",
  "it's",
  '$HOME `id` "q" \\ %s',
  "*",
  "-n",
  "~",
  "a\nb",
  "é✓",
  ...fc.sample(anyWord, 300),
];

for (const shell of shells) {
  test(`words arrive unchanged in ${shell.join(" ")}`, () => {
    const result = runShell(shell, `printf '%s\\0' ${words.map(quoteWord).join(" ")}`);
    assert.deepEqual(result.stdout.split("\0").slice(0, -1), words);
  });

  test(`here-documents arrive unchanged in ${shell.join(" ")}`, () => {
    const texts = ["", "one\n", "no end", "$HOME `id` \\ \\$x\n", "END_OF_FILE\nEND_OF_FILE_\n", "\n\n"];
    const script = joinLines(
      ...texts.map(
        (text) => sh`cat ${hereDocument(text)}
printf '\0'`,
      ),
    );
    const result = runShell(shell, script.text);
    const expected = texts.map((text) => (text === "" || text.endsWith("\n") ? text : `${text}\n`));
    assert.deepEqual(result.stdout.split("\0").slice(0, -1), expected);
  });
}

test("a template quotes its values and inserts shell text as it stands", () => {
  const fragment = new ShellText("echo $x");
  assert.equal(sh`rm ${"a b"} ${3} ${["x", "y z"]} ${fragment} ${undefined}${false}!`.text, "rm 'a b' 3 x 'y z' echo $x !");
});

test("a template refuses what no shell word can hold", () => {
  assert.throws(() => sh`echo ${"a\0b"}`, RangeError);
});

test("a template leaves the shell's own signs alone", () => {
  assert.equal(sh`echo "\${x:-y}" '\n' $(id) \`id\``.text, "echo \"${x:-y}\" '\\n' $(id) `id`");
});

test("absent pieces leave no empty lines", () => {
  assert.equal(
    joinLines(
      sh`a`,
      undefined,
      false,
      sh`b
`,
      sh`c`,
    ).text,
    "a\nb\nc",
  );
});
