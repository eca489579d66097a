/**
 * Errors as text. A foreseen outcome is its sentence and the way out; anything else is a bug of ours, shown as one and
 * written to a report file. Stacks appear with --debug only.
 */
import { isMachineError, messageOf } from "../../errors/machine-error.ts";

export interface ErrorTextOptions {
  readonly debug: boolean;
  /** As 0.16.2: messages alone. */
  readonly compat: boolean;
  /** The command that looks into it. */
  readonly doctor?: string | undefined;
  /** File that holds the report of a bug, or why there is none. */
  readonly report?: { readonly file: string } | { readonly problem: string } | undefined;
}

/** Lines for standard error, without the last line's end. */
export function renderError(error: unknown, options: ErrorTextOptions): string {
  const lines = isMachineError(error) ? foreseen(error, options) : unforeseen(error, options.report);
  if (options.debug) lines.push(...codes(error), ...stacks(error));
  return lines.join("\n");
}

/** One machine's failure among several. */
interface Failure {
  readonly name: string;
  readonly error: unknown;
}

/** What failed on each machine, when the error stands for several. */
export function failuresOf(error: unknown): readonly Failure[] {
  if (!isMachineError(error, "several-failed")) return [];
  const failed = (error as { failed?: unknown }).failed;
  return Array.isArray(failed) ? (failed as Failure[]) : [];
}

function foreseen(error: Error, { compat, doctor }: ErrorTextOptions): string[] {
  const failures = failuresOf(error);
  if (failures.length === 0) return [error.message, ...hintLines(compat ? [] : [hintOf(error, doctor)])];
  if (compat) return failures.map((failure) => messageOf(failure.error));
  const hints = failures.map((failure) => hintOf(failure.error));
  const isShared = (hint: string | undefined): boolean => hints.indexOf(hint) !== hints.lastIndexOf(hint);
  const lines = failures.flatMap((failure, index) => [
    namedMessage(failure),
    ...hintLines(isShared(hints[index]) ? [] : [hints[index]]),
  ]);
  return [...lines, ...hintLines([...new Set(hints.filter(isShared)), hintOf(undefined, doctor)])];
}

/** A way out stands below its own failure; one that helps with several, once below all of them. */
function hintLines(hints: readonly (string | undefined)[]): string[] {
  return hints.flatMap((hint) => (hint === undefined ? [] : [`Hint: ${hint}`]));
}

function hintOf(error: unknown, doctor?: string): string | undefined {
  const hint = isMachineError(error) ? error.hint : undefined;
  if (doctor === undefined) return hint;
  if (hint === undefined) return `See why with: ${doctor}`;
  // A command at the end is to be copied.
  return /[.!?]$/u.test(hint) ? `${hint} See what else is wrong with: ${doctor}` : `${hint}; or see why with: ${doctor}`;
}

/** Names the machine where its error does not. */
function namedMessage({ name, error }: Failure): string {
  const message = messageOf(error);
  // As a word of its own: "d" is not named by "odd".
  const isNamed = message.split(/[^a-zA-Z0-9.-]+/u).some((word) => word.replace(/\.$/u, "") === name);
  return isNamed ? message : `(${name}) ${message}`;
}

function unforeseen(error: unknown, report: ErrorTextOptions["report"]): string[] {
  const lines = [`Unexpected error: ${messageOf(error)}`];
  if (report === undefined) return lines;
  if ("problem" in report) return [...lines, `This is a bug of docker-machine. No report could be written: ${report.problem}`];
  return [...lines, `This is a bug of docker-machine. A report without secrets is in ${report.file}; it was sent to nobody.`];
}

/** By these docs/errors.md tells the meaning; of several machines each has its own. */
function codes(error: unknown): string[] {
  const failures = failuresOf(error);
  if (failures.length > 0) return failures.flatMap((failure) => codes(failure.error).map((line) => `(${failure.name}) ${line}`));
  return isMachineError(error) ? [`Error code: ${error.code}`] : [];
}

const deepestCause = 8;

/** The stacks of an error and its causes. */
export function stacks(error: unknown): string[] {
  const texts: string[] = [];
  for (
    let current = error;
    current !== undefined && current !== null && texts.length < deepestCause;
    current = causeOf(current)
  ) {
    const stack = current instanceof Error ? (current.stack ?? current.message) : messageOf(current);
    texts.push(texts.length === 0 ? stack : `Caused by: ${stack}`);
  }
  return texts;
}

function causeOf(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

/** The error as an object of NDJSON. */
export function errorObject(error: unknown, doctor?: string): Record<string, unknown> {
  if (!isMachineError(error)) return { type: "error", code: "bug", message: messageOf(error) };
  const { code, message } = error;
  const hint = hintOf(error, doctor);
  const machines = failuresOf(error).map((failure) => ({ machine: failure.name, ...errorObject(failure.error) }));
  return {
    type: "error",
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(machines.length === 0 ? {} : { machines }),
  };
}
