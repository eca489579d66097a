/** Answers of VBoxManage 7.2.22 as Debian packages it, without a kernel module, in the order they were recorded; the wrapper's warning stands in the first alone. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

export interface Recorded {
  readonly name: string;
  readonly args: readonly string[];
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const all: readonly Recorded[] = readFileSync(new URL("recorded.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => JSON.parse(line) as Recorded);

/** By the number that its name begins with. */
export function recorded(number: string): Recorded {
  const found = all.find(({ name }) => name.startsWith(`${number}-`));
  assert.ok(found !== undefined, number);
  return found;
}
