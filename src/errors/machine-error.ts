/**
 * The one error class for outcomes that were foreseen. Anything else that is thrown is a bug of ours and is shown as
 * one. Holds text that may be printed: never headers, environments or command lines.
 */
import type { ErrorCode } from "./codes.ts";

const brand = Symbol.for("docker-machine.error");

export interface MachineErrorOptions {
  /** What the user can do about it: one sentence or command. */
  readonly hint?: string | undefined;
  /** Nothing was changed where the work was to be done: there is nothing to be gone on with. */
  readonly untouched?: boolean | undefined;
  readonly cause?: unknown;
}

export class MachineError extends Error {
  override readonly name: string = "MachineError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly untouched: boolean;
  readonly [brand] = true;

  constructor(code: ErrorCode, message: string, options: MachineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.untouched = options.untouched === true;
  }
}

/** True for a {@link MachineError}, also one made by another copy of this package. */
export function isMachineError(value: unknown, code?: ErrorCode): value is MachineError {
  return (
    typeof value === "object" &&
    value !== null &&
    (value as { [brand]?: unknown })[brand] === true &&
    (code === undefined || (value as MachineError).code === code)
  );
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a Node system error (`ENOENT`, `ECONNREFUSED`, …), if it is one. */
export function systemCodeOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error ? (thrown as NodeJS.ErrnoException).code : undefined;
  return typeof code === "string" ? code : undefined;
}
