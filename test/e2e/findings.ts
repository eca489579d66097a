/** What `doctor` finds, by the program. */
import assert from "node:assert/strict";
import type { Program, RunOptions } from "./program.ts";

interface Finding {
  readonly machine: string | null;
  readonly check: string;
  readonly state: string;
  readonly evidence: string;
}

async function findings(program: Program, words: readonly string[], options: RunOptions = {}): Promise<Finding[]> {
  const { stdout, stderr } = await program.run(["--output", "json", "doctor", ...words], options);
  return stdout === "" ? assert.fail(stderr) : (JSON.parse(stdout) as Finding[]);
}

/** The first is the one to mend, so that there must be no other. */
export async function assertFinds(
  program: Program,
  expected: readonly string[],
  words: readonly string[],
  options: RunOptions = {},
): Promise<void> {
  const found = await findings(program, words, options);
  const names = found.map(({ check }) => check);
  assert.deepEqual(names, expected, JSON.stringify(found, undefined, 1));
}
