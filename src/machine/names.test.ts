import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { isMachineError } from "../errors/machine-error.ts";
import { expandNames, requireValidName } from "./names.ts";

test("ranges and lists in braces are expanded, nested and padded as written", () => {
  assert.deepEqual(expandNames(["web-{1..3}"]), ["web-1", "web-2", "web-3"]);
  assert.deepEqual(expandNames(["n{08..10}"]), ["n08", "n09", "n10"]);
  assert.deepEqual(expandNames(["{a,b}-{2..1}"]), ["a-2", "a-1", "b-2", "b-1"]);
  assert.deepEqual(expandNames(["plain", "{odd}"]), ["plain", "{odd}"]);
});

test("a name given twice, or far too many, is refused", () => {
  assert.throws(
    () => expandNames(["a", "{a,b}"]),
    (error) => isMachineError(error, "usage"),
  );
  assert.throws(
    () => expandNames(["n{1..99999}"]),
    (error) => isMachineError(error, "usage"),
  );
});

test("a name is valid exactly when 0.16.2's pattern says so", () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const valid = /^[a-zA-Z0-9][a-zA-Z0-9\-.]*$/u.test(name);
      if (valid) requireValidName(name);
      else
        assert.throws(
          () => requireValidName(name),
          (error) => isMachineError(error, "machine-name-invalid"),
        );
    }),
  );
});

test("what is wrong with a name is said of what is wrong with it", () => {
  for (const [name, objection] of [
    ["a_b", /must not hold "_"/u],
    ["w-[1-3]", /must not hold "\[" "\]"; for several machines: "w-\{1\.\.3\}"\.$/u],
    ["a b/c", /must not hold a blank "\/"/u],
    ["-a", /must begin with a letter or a digit/u],
    ["", /is empty/u],
  ] as const) {
    assert.throws(
      () => requireValidName(name),
      (error) => isMachineError(error, "machine-name-invalid") && objection.test(error.hint ?? ""),
    );
  }
});
