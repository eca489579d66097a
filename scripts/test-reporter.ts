/**
 * Reporter for node:test: a line for each file's failures, skips and figures while they happen, and the counts as one
 * JSON line in the file that TEST_COUNTS names, so that several runs can be added up.
 */
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

interface TestData {
  readonly name: string;
  readonly file?: string;
  readonly skip?: string | boolean;
  readonly todo?: string | boolean;
  readonly details?: { readonly type?: string; readonly duration_ms?: number; readonly error?: Error & { cause?: unknown } };
}

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  for await (const event of source) {
    const data = event.data as TestData;
    // A suite passes or fails with its tests; a file that cannot be loaded fails as a test of its own.
    const suite = data.details?.type === "suite";
    if (event.type === "test:pass" && !suite) yield onPass(data, counts);
    if (event.type === "test:fail" && (!suite || isLoadFailure(data))) yield onFail(data, counts);
    // What a test says itself; the runner's own counts belong to no file.
    if (event.type === "test:diagnostic" && event.data.file !== undefined)
      yield `  ${relative(process.cwd(), event.data.file)}: ${event.data.message}\n`;
    if (event.type === "test:stderr" || event.type === "test:stdout")
      yield (event.data as unknown as { message: string }).message;
  }
  if (process.env["TEST_COUNTS"] !== undefined) appendFileSync(process.env["TEST_COUNTS"], `${JSON.stringify(counts)}\n`);
}

const slowMs = 5_000;

function onPass(data: TestData, counts: Counts): string {
  if (data.skip !== undefined && data.skip !== false) {
    counts.skipped += 1;
    return `  skipped  ${place(data)}: ${typeof data.skip === "string" && data.skip !== "" ? data.skip : "no reason given"}\n`;
  }
  counts.passed += 1;
  const ms = data.details?.duration_ms ?? 0;
  return ms > slowMs ? `  ${(ms / 1000).toFixed(1)} s  ${place(data)}\n` : "";
}

function onFail(data: TestData, counts: Counts): string {
  counts.failed += 1;
  const error = data.details?.error;
  const cause = error?.cause instanceof Error ? error.cause : error;
  return `\n✖ ${place(data)}\n${indent(cause?.stack ?? String(cause))}\n\n`;
}

function isLoadFailure(data: TestData): boolean {
  return (
    (data.details?.error as { failureType?: string } | undefined)?.failureType === "testCodeFailure" && data.file === data.name
  );
}

function place(data: TestData): string {
  return data.file === undefined ? data.name : `${relative(process.cwd(), data.file)}: ${data.name}`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gmu, "    ");
}
