import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { errorCodes, type ErrorCode } from "../errors/codes.ts";
import { MachineError } from "../errors/machine-error.ts";
import { SeveralFailedError } from "../machine/many.ts";
import { asksForDetails, exitCodeOfError, exitCodeOfResult, type ExitRules } from "./exit-code.ts";
import { FlagError, UsageError } from "./usage-error.ts";

function rules(compat: boolean, commandName?: string, detailed = false): ExitRules {
  return { compat, commandName, detailed };
}

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
      assert.equal(exitCodeOfError(new MachineError(code, ""), rules(false, "ls")), special[code] ?? 1, code);
    }
    assert.equal(exitCodeOfError(new TypeError("bug"), rules(false, "ls")), 1);
  });

  it("tells that work on several machines was interrupted", () => {
    const failed = [
      { name: "a", error: new MachineError("ssh-closed", "") },
      { name: "b", error: new MachineError("interrupted", "Interrupted") },
    ];
    assert.equal(exitCodeOfError(new SeveralFailedError(failed, 3), rules(false, "create")), 130);
    assert.equal(exitCodeOfError(new SeveralFailedError(failed, 3), rules(true, "create")), 130);
    assert.equal(exitCodeOfError(new SeveralFailedError(failed.slice(0, 1), 3), rules(false, "create")), 1);
  });

  it("gives 0.16.2's codes where they are wanted", () => {
    assert.equal(exitCodeOfError(new FlagError("x"), rules(true, "ls")), 0);
    assert.equal(exitCodeOfError(new FlagError("x"), rules(true, undefined)), 0);
    assert.equal(exitCodeOfError(new FlagError("x"), rules(true, "create")), 1);
    assert.equal(exitCodeOfError(new UsageError("x"), rules(true, "rm")), 1);
    assert.equal(exitCodeOfError(new MachineError("machine-not-found", ""), rules(true, "ip")), 1);
    assert.equal(exitCodeOfError(new MachineError("pre-create-check", ""), rules(true, "create")), 3);
  });
});

describe("a detailed exit status", () => {
  it("leaves 2 to what differs: every error is 1", () => {
    for (const code of Object.keys(errorCodes) as ErrorCode[])
      assert.equal(
        exitCodeOfError(new MachineError(code, ""), rules(false, "plan", true)),
        code === "interrupted" ? 130 : 1,
        code,
      );
    assert.equal(exitCodeOfError(new UsageError("x"), rules(true, "plan", true)), 1);
    assert.equal(exitCodeOfResult(2, rules(true, "plan", true)), 2);
  });

  it("is asked for by a flag, however wrong the rest of the line is", () => {
    assert.ok(asksForDetails(["plan", "--nope", "--detailed-exitcode"]));
    assert.ok(asksForDetails(["plan", "-detailed-exitcode=true"]));
    assert.equal(asksForDetails(["plan", "--detailed-exitcode=false"]), false);
    assert.equal(asksForDetails(["plan", "--", "--detailed-exitcode"]), false);
  });
});

describe("exitCodeOfResult", () => {
  it("passes a remote status on, and collapses it for 0.16.2", () => {
    assert.equal(exitCodeOfResult(undefined, rules(false)), 0);
    assert.equal(exitCodeOfResult(42, rules(false)), 42);
    assert.equal(exitCodeOfResult(42, rules(true)), 1);
    assert.equal(exitCodeOfResult(0, rules(true)), 0);
    assert.equal(exitCodeOfResult(42, rules(true, "ssh")), 1);
    assert.equal(exitCodeOfResult(42, rules(true, "with")), 42);
  });
});
