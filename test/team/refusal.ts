/** What a database's refusal looks like to a person. */
import assert from "node:assert/strict";

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  /** How long it took. */
  readonly ms: number;
}

export async function refusal(work: Promise<unknown>): Promise<Refusal> {
  const started = performance.now();
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown as Refusal,
  );
  assert.ok(error !== undefined, "it was not refused");
  return { code: error.code, message: error.message, hint: error.hint, ms: performance.now() - started };
}
