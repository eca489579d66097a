/** The output of `env`, run by real shells: what goes in must come out of the variable, byte for byte. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { renderShellEnv } from "../../src/cli/shell/shell-env.ts";

interface RealShell {
  readonly name: string;
  readonly args: readonly string[];
  /** Evaluates each `*.env` file of the working directory as users do, and prints K with a zero byte after each. */
  readonly script: string;
  /** The shell can hold a line break in a variable. */
  readonly lineBreaks: boolean;
}

const bourneScript = 'for f in *.env; do eval $(cat "$f"); printf "%s\\0" "$K"; done';

const shells: readonly RealShell[] = [
  { name: "bash", args: ["--norc", "-c"], script: bourneScript, lineBreaks: true },
  { name: "zsh", args: ["-f", "-i", "-c"], script: bourneScript, lineBreaks: true },
  { name: "dash", args: ["-c"], script: bourneScript, lineBreaks: true },
  { name: "ksh", args: ["-c"], script: bourneScript, lineBreaks: true },
  {
    name: "fish",
    args: ["--no-config", "-c"],
    script: 'for f in *.env; eval (cat $f); printf "%s\\0" "$K"; end',
    lineBreaks: true,
  },
  { name: "tcsh", args: ["-f"], script: 'foreach f ( *.env )\neval `cat $f`\nprintf "%s\\0" "$K:q"\nend\n', lineBreaks: false },
];

const tricky = [
  '"',
  "'",
  "`",
  "$HOME",
  "$(id)",
  "\\",
  "!",
  "!!",
  "*",
  "?",
  "[a]",
  "{a,b}",
  "~",
  " ",
  "  ",
  "\t",
  ";",
  "&",
  "|",
  "<",
  ">",
  "#",
  "%s",
  "%",
  "\n",
  "é",
  "^",
  "=",
  "(",
];
const anyText = fc.array(fc.oneof(fc.constantFrom(...tricky), fc.stringMatching(/^[a-z/.:]{1,4}$/u)), { maxLength: 6 });

/** `$(…)` drops line breaks at the end of what a Bourne shell reads. */
const values = fc.sample(
  anyText.map((parts) => parts.join("").replace(/\n+$/u, "")),
  { numRuns: 100, seed: 7 },
);

function valuesOutOf(shell: RealShell, wanted: readonly string[]): string[] {
  const folder = mkdtempSync(path.join(tmpdir(), "docker-machine-shell-"));
  try {
    for (const [index, value] of wanted.entries()) {
      const output = renderShellEnv(shell.name, [{ name: "K", value }, { name: "GONE" }], ["docker-machine", "env", "it's $odd"]);
      writeFileSync(path.join(folder, `${String(index).padStart(4, "0")}.env`), output);
    }
    // tcsh reads a loop from its input only.
    const asInput = shell.name === "tcsh";
    const { stdout, stderr, status } = spawnSync(shell.name, asInput ? shell.args : [...shell.args, shell.script], {
      cwd: folder,
      input: asInput ? shell.script : "",
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: folder, LANG: "C.UTF-8", GONE: "x" },
      timeout: 60_000,
    });
    assert.equal(status, 0, `${shell.name}: ${stderr}`);
    return stdout.split("\0").slice(0, -1);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("env in real shells", () => {
  for (const shell of shells) {
    const isThere = spawnSync(shell.name, ["-c", "exit 0"]).status === 0;
    it(`sets any value in ${shell.name}`, { skip: isThere ? false : `${shell.name} is not installed` }, () => {
      const wanted = values.filter((value) => shell.lineBreaks || !value.includes("\n"));
      assert.ok(wanted.length > 50);
      assert.deepEqual(valuesOutOf(shell, wanted), wanted);
    });
  }
});
