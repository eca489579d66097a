/** The recorded cases of 0.16.2. */
import { readFileSync } from "node:fs";

export interface GoldenCase {
  readonly note: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function goldenCases(file = "cases.jsonl"): readonly GoldenCase[] {
  const text = readFileSync(new URL(file, import.meta.url), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as GoldenCase);
}
