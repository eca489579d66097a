/**
 * Errors as text. A foreseen outcome is its sentence and the way out; anything else is a bug of ours, shown as one and
 * written to a report file. Stacks appear with --debug only.
 */
import { isMachineError, messageOf } from "../errors/machine-error.ts";

export interface ErrorTextOptions {
  readonly debug: boolean;
  /** As 0.16.2: the message alone. */
  readonly compat: boolean;
  /** File that holds the report of a bug, or why there is none. */
  readonly report?: { readonly file: string } | { readonly problem: string } | undefined;
}

/** Lines for standard error, without the last line's end. */
export function renderError(error: unknown, options: ErrorTextOptions): string {
  const lines = isMachineError(error)
    ? [error.message]
    : [`Unexpected error: ${messageOf(error)}`, ...reportLines(options.report)];
  if (isMachineError(error) && error.hint !== undefined && !options.compat) lines.push(`Hint: ${error.hint}`);
  if (options.debug) lines.push(...stacks(error));
  return lines.join("\n");
}

function reportLines(report: ErrorTextOptions["report"]): string[] {
  if (report === undefined) return [];
  if ("problem" in report) return [`This is a bug of docker-machine. No report could be written: ${report.problem}`];
  return [`This is a bug of docker-machine. A report without secrets is in ${report.file}; it was sent to nobody.`];
}

/** The stacks of an error and its causes. */
export function stacks(error: unknown): string[] {
  const texts: string[] = [];
  for (let current: unknown = error, depth = 0; current !== undefined && current !== null && depth < 8; depth += 1) {
    const stack = current instanceof Error ? (current.stack ?? current.message) : messageOf(current);
    texts.push(depth === 0 ? stack : `Caused by: ${stack}`);
    current = current instanceof Error ? current.cause : undefined;
  }
  return texts;
}

/** The error as an NDJSON line's object. */
export function errorObject(error: unknown): Record<string, unknown> {
  if (!isMachineError(error)) return { type: "error", code: "bug", message: messageOf(error) };
  const { code, message, hint } = error;
  return { type: "error", code, message, ...(hint === undefined ? {} : { hint }) };
}
