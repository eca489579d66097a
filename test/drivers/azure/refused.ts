/** What `assert.rejects` is given for a failure of one code, in one sentence, with a way out. */
import assert from "node:assert/strict";
import type { ErrorCode } from "../../../src/errors/codes.ts";
import { MachineError } from "../../../src/errors/machine-error.ts";

export function refused(code: ErrorCode, pattern: RegExp): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof MachineError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, pattern);
    assert.ok((error.hint ?? "") !== "", "there is no way out");
    return true;
  };
}
