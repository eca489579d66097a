/** How a command may fail: an exit status, one sentence and, where there is one, a way out, on standard error alone. */
import assert from "node:assert/strict";
import type { Program, ProgramResult, RunOptions } from "./program.ts";

export interface Failure {
  readonly status: number;
  /** What a create was at, in 0.16.2's words; "" where none is named. */
  readonly phase: string;
  /** What was wrong, without the phase. */
  readonly sentence: string;
  /** Without `Hint: `; "" where there is none. */
  readonly hint: string;
  readonly stdout: string;
}

/** Of several machines each sentence begins with the name of its own. */
const phases =
  /^(?<machine>\(\S+\) )?Error creating machine: Error (?<phase>in driver during machine creation|detecting OS|running provisioning|waiting for machine to be running): /u;

/** Runs a command that must fail. Several lines before the hint are the words of another program, given as they are. */
export async function failureOf(program: Program, args: readonly string[], options: RunOptions = {}): Promise<Failure> {
  return failureIn(await program.run(args, options), args);
}

export function failureIn({ status, signal, stdout, stderr }: ProgramResult, args: readonly string[]): Failure {
  const all = `docker-machine ${args.join(" ")} ended with ${status ?? signal}\n${stdout}\n--- stderr\n${stderr}`;
  assert.ok(status !== null && status !== 0, all);
  const lines = stderr.trimEnd().split("\n");
  const hints = lines.filter((line) => line.startsWith("Hint: "));
  assert.ok(hints.length <= 1 && (hints.length === 0 || lines.at(-1) === hints[0]), `One hint at the end: ${all}`);
  assert.doesNotMatch(stderr, /Unexpected error|This is a bug|^\s+at /mu, all);
  const words = lines.slice(0, lines.length - hints.length).join("\n");
  const { phase = "" } = phases.exec(words)?.groups ?? {};
  return { status, phase, sentence: words.replace(phases, "$<machine>"), hint: hints[0]?.slice("Hint: ".length) ?? "", stdout };
}

export interface ExpectedFailure {
  /** 1 unless given. */
  readonly status?: number;
  /** Any unless given. */
  readonly phase?: string;
  /** Of the whole sentence. */
  readonly sentence: RegExp;
  readonly hint: RegExp;
}

/** The command fails as expected, and says nothing else on standard error. */
export async function assertFails(
  program: Program,
  args: readonly string[],
  expected: ExpectedFailure,
  options: RunOptions = {},
): Promise<Failure> {
  return assertFailed(await failureOf(program, args, options), expected);
}

export function assertFailed(failure: Failure, expected: ExpectedFailure): Failure {
  assert.match(failure.sentence, expected.sentence);
  if (expected.phase !== undefined) assert.equal(failure.phase, expected.phase, failure.sentence);
  assert.match(failure.hint, expected.hint);
  assert.equal(failure.status, expected.status ?? 1, failure.sentence);
  return failure;
}
