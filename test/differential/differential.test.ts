/**
 * The same command lines on 0.16.2, where a `docker-machine-go` is on PATH, and on this program in its compatible mode:
 * equal exit codes, streams and texts.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { withoutAdditions } from "../golden/additions.ts";
import { programUnderTest, replay, type Outcome } from "../golden/replay.ts";
import { original, originalMissing } from "../support/original.ts";
import type { CommandLine } from "./lines/command-line.ts";
import { frameLines } from "./lines/frame-lines.ts";
import { inspectLines } from "./lines/inspect-lines.ts";
import { listLines } from "./lines/list-lines.ts";
import { machineLines } from "./lines/machine-lines.ts";
import { stoppedLines } from "./lines/stopped-lines.ts";

const groups = {
  flags: frameLines,
  machines: machineLines,
  ls: listLines,
  inspect: inspectLines,
  "a stopped machine": stoppedLines,
};
/** Machines that are there beforehand, in the store of the group that asks for them. */
const records = { still: readFileSync("test/golden/stopped-record.json", "utf8") };

function run(program: readonly string[], lines: readonly CommandLine[]): Outcome[] {
  const present = lines === stoppedLines ? records : {};
  const cases = lines.map((line) => ({ note: "", env: {}, stdin: "", code: 0, stdout: "", stderr: "", ...line }));
  return replay(program, cases, "compat", present);
}

function fromOriginal({ code, stdout, stderr }: Outcome): Outcome {
  const named = (text: string): string =>
    text.replaceAll(original, "docker-machine").replaceAll("docker-machine-go", "docker-machine");
  return { code, stdout: named(stdout), stderr: named(stderr) };
}

function fromOurs({ code, stdout, stderr }: Outcome): Outcome {
  return { code, stdout: withoutVersion(withoutAdditions(stdout)), stderr: asLaterGo(stderr) };
}

function withoutVersion(text: string): string {
  return text.replace(/version \S+, build \S+/u, "version dev, build HEAD");
}

/** 0.16.2 was released with Go 1.12; from 1.13 on, Go's flags say less. Which one built the original is not known. */
function asLaterGo(text: string): string {
  return text
    .replaceAll(/^(invalid (?:boolean )?value .*): strconv\.\w+: parsing .*: invalid syntax$/gmu, "$1: parse error")
    .replaceAll(/^(invalid (?:boolean )?value .*): strconv\.\w+: parsing .*: (value out of range)$/gmu, "$1: $2");
}

describe("on 0.16.2 and here", { skip: originalMissing }, () => {
  for (const [what, lines] of Object.entries(groups)) {
    describe(what, () => {
      const theirs = original === "" ? [] : run([original], lines);
      const ours = original === "" ? [] : run(programUnderTest(), lines);
      for (const [index, { args, env, stdin, differs }] of lines.entries()) {
        it(`${index + 1}: ${args.join(" ")} ${JSON.stringify(env ?? {})} ${JSON.stringify(stdin ?? "")}`, () => {
          const [expected, actual] = [theirs[index], ours[index]];
          assert.ok(expected !== undefined && actual !== undefined);
          const { code, stdout, stderr } = fromOriginal(expected);
          const original = { code, stdout, stderr: asLaterGo(stderr) };
          if (differs === undefined) assert.deepEqual(fromOurs(actual), original);
          else assert.notDeepEqual(fromOurs(actual), original);
        });
      }
    });
  }
});

describe("what differs from 0.16.2", () => {
  const explained = readFileSync("docs/differences.md", "utf8");
  for (const row of new Set(Object.values(groups).flatMap((lines) => lines.flatMap(({ differs }) => differs ?? [])))) {
    it(`${row} is explained`, () => assert.ok(explained.includes(`\n| \`${row}\``)));
  }
});
