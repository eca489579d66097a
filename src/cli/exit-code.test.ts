import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorCodes, type ErrorCode } from "../errors/codes.ts";
import { MachineError } from "../errors/machine-error.ts";
import { SeveralFailedError } from "../machine/many.ts";
import { exitCodeOfError, exitCodeOfResult } from "./exit-code.ts";
import { FlagError, UsageError } from "./usage-error.ts";

describe("exitCodeOfError", () => {
  it("tells usage, pre-create checks, missing machines and interruption from other failures", () => {
    const special: Partial<Record<ErrorCode, number>> = {
      usage: 2,
      "pre-create-check": 3,
      "machine-not-found": 4,
      "nothing-selected": 4,
      interrupted: 130,
    };
    for (const code of Object.keys(errorCodes) as ErrorCode[]) {
      assert.equal(exitCodeOfError(new MachineError(code, ""), false, "ls"), special[code] ?? 1, code);
    }
    assert.equal(exitCodeOfError(new TypeError("bug"), false, "ls"), 1);
  });

  it("tells that work on several machines was interrupted", () => {
    const failed = [
      { name: "a", error: new MachineError("ssh-closed", "") },
      { name: "b", error: new MachineError("interrupted", "Interrupted") },
    ];
    assert.equal(exitCodeOfError(new SeveralFailedError(failed, 3), false, "create"), 130);
    assert.equal(exitCodeOfError(new SeveralFailedError(failed, 3), true, "create"), 130);
    assert.equal(exitCodeOfError(new SeveralFailedError(failed.slice(0, 1), 3), false, "create"), 1);
  });

  it("gives 0.16.2's codes where they are wanted", () => {
    assert.equal(exitCodeOfError(new FlagError("x"), true, "ls"), 0);
    assert.equal(exitCodeOfError(new FlagError("x"), true, undefined), 0);
    assert.equal(exitCodeOfError(new FlagError("x"), true, "create"), 1);
    assert.equal(exitCodeOfError(new UsageError("x"), true, "rm"), 1);
    assert.equal(exitCodeOfError(new MachineError("machine-not-found", ""), true, "ip"), 1);
    assert.equal(exitCodeOfError(new MachineError("pre-create-check", ""), true, "create"), 3);
  });
});

describe("exitCodeOfResult", () => {
  it("passes a remote status on, and collapses it for 0.16.2", () => {
    assert.equal(exitCodeOfResult(undefined, false), 0);
    assert.equal(exitCodeOfResult(42, false), 42);
    assert.equal(exitCodeOfResult(42, true), 1);
    assert.equal(exitCodeOfResult(0, true), 0);
    assert.equal(exitCodeOfResult(42, true, "ssh"), 1);
    assert.equal(exitCodeOfResult(42, true, "with"), 42);
  });
});
