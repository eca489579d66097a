import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isMachineError } from "../../errors/machine-error.ts";
import { allLabelsOf, labelsOf } from "../../store/record-labels.ts";
import { isLabelChange, parseLabelChange } from "./labels.ts";

describe("parseLabelChange", () => {
  it("sets by an equals sign, and takes away by a dash", () => {
    assert.deepEqual(parseLabelChange("team=web"), { key: "team", value: "web" });
    assert.deepEqual(parseLabelChange("team="), { key: "team", value: "" });
    assert.deepEqual(parseLabelChange("a=b=c-"), { key: "a", value: "b=c-" });
    assert.deepEqual(parseLabelChange("team-"), { key: "team", value: undefined });
    assert.deepEqual(parseLabelChange("my-org.io/tier-"), { key: "my-org.io/tier", value: undefined });
  });

  it("refuses what is no label, in one sentence", () => {
    for (const text of [
      "",
      "-",
      "=x",
      "team",
      "a b=c",
      "-a=b",
      "a=\u001B[31m",
      "a=b\nc",
      `${"k".repeat(64)}=v`,
      `k=${"v".repeat(256)}`,
    ]) {
      assert.throws(
        () => parseLabelChange(text),
        (error) => isMachineError(error, "usage"),
        text,
      );
    }
  });

  it("refuses credentials, and does not repeat them", () => {
    for (const key of ["token", "db-password", "api-key"]) {
      assert.throws(
        () => parseLabelChange(`${key}=hunter2`),
        (error) => isMachineError(error, "usage") && !`${error.message}${error.hint}`.includes("hunter2"),
      );
    }
    assert.deepEqual(parseLabelChange("token-"), { key: "token", value: undefined });
  });

  it("never takes a change for the name of a machine", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9.]*$/u), (name) => !isLabelChange(name) && isLabelChange(`${name}-`)),
    );
  });
});

describe("the labels of a record", () => {
  it("are its own behind its engine's, and only texts", () => {
    const engine = { Labels: ["zone=a", "tier=1"] };
    const extra = { Labels: { tier: "2", odd: 7 as unknown as string } };
    assert.deepEqual(labelsOf({ extra }), { tier: "2" });
    assert.deepEqual(allLabelsOf({ extra, engine }), ["zone=a", "tier=1", "tier=2"]);
    assert.deepEqual(labelsOf({ extra: { Labels: ["a"] as unknown as Record<string, string> } }), {});
  });
});
