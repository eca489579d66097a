/** The foreseen error that some work must end with. */
import assert from "node:assert/strict";
import { isMachineError, type MachineError } from "../../src/errors/machine-error.ts";

/** Fails the test when the work succeeds, or when it throws what is a bug. */
export async function failureOf(work: Promise<unknown> | (() => unknown)): Promise<MachineError> {
  const outcome: unknown = await Promise.resolve()
    .then(() => (typeof work === "function" ? work() : work))
    .then(
      () => "it did not fail",
      (error: unknown) => error,
    );
  assert.ok(isMachineError(outcome), String(outcome));
  return outcome;
}
