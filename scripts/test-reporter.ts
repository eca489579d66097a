/**
 * Reporter for node:test: a line for each failure, skip and slow test when it happens, and a note for the runner
 * (test-notes.ts). What a hook threw is shown, for its tests say no more than that they were cancelled.
 */
import { relative } from "node:path";
import type { TestEvent } from "node:test/reporters";
import { tell } from "./test-notes.ts";

interface TestData {
  readonly name: string;
  readonly file?: string;
  readonly skip?: string | boolean;
  readonly details?: { readonly type?: string; readonly duration_ms?: number; readonly error?: TestError };
}

type TestError = Error & { readonly failureType?: string; readonly cause?: unknown };

const slowMs = 5_000;

/** What node:test says at the end of each file; else a diagnostic is what a test says itself. */
const ownCount = /^(?:tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/u;

export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of source) {
    const data = event.data as TestData;
    if (event.type === "test:dequeue") tell({ kind: "begun", test: place(data) });
    // Not test:pass and test:fail, which wait for all that stands before them in the file.
    if (event.type === "test:complete") {
      tell({ kind: "ended", test: place(data) });
      yield onComplete(data);
    }
    if (event.type === "test:diagnostic" && event.data.file !== undefined && !ownCount.test(event.data.message))
      yield `  ${relative(process.cwd(), event.data.file)}: ${event.data.message}\n`;
  }
  tell({ kind: "done" });
}

function onComplete(data: TestData): string {
  const error = data.details?.error;
  if (data.details?.type === "suite") return error === undefined || followsFromOthers(error) ? "" : onFail(data, error);
  return error === undefined ? onPass(data) : onFail(data, error);
}

function onPass(data: TestData): string {
  const test = place(data);
  if (data.skip !== undefined && data.skip !== false) {
    const reason = typeof data.skip === "string" && data.skip !== "" ? data.skip : "no reason given";
    tell({ kind: "skipped", test, reason });
    return `  skipped  ${test}: ${reason}\n`;
  }
  tell({ kind: "passed", test });
  const ms = data.details?.duration_ms ?? 0;
  return ms > slowMs ? `  ${(ms / 1000).toFixed(1)} s  ${test}\n` : "";
}

function onFail(data: TestData, error: TestError): string {
  const test = place(data);
  tell({ kind: "failed", test });
  if (error.failureType === "cancelledByParent") return `✖ ${test}: not run to its end; see what its suite failed of\n`;
  const hook = error.failureType === "hookFailed" ? ` (${error.message})` : "";
  const cause = error.cause instanceof Error ? error.cause : error;
  return `\n✖ ${test}${hook}\n${indent(withCauses(cause))}\n\n`;
}

/** A suite fails with its tests, and with the suite around it. */
function followsFromOthers(error: TestError): boolean {
  return error.failureType === "subtestsFailed" || error.failureType === "cancelledByParent";
}

/** The stack of an error and of each error behind it. */
function withCauses(error: Error): string {
  const own = error.stack ?? String(error);
  return error.cause instanceof Error ? `${own}\ncaused by ${withCauses(error.cause)}` : own;
}

function place(data: TestData): string {
  return data.file === undefined ? data.name : `${relative(process.cwd(), data.file)}: ${data.name}`;
}

function indent(text: string): string {
  return text.replaceAll(/^/gmu, "    ");
}
