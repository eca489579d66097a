import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError } from "../errors/machine-error.ts";
import { alternativeName, requireTlsNames } from "./alternative-names.ts";

test("names and addresses are told apart, without blanks and brackets", () => {
  assert.deepEqual(alternativeName(" web.example.com "), { kind: "dns", name: "web.example.com" });
  assert.deepEqual(alternativeName("[fd00::5]"), { kind: "address", name: "fd00::5" });
  assert.equal(alternativeName(" "), undefined);
  requireTlsNames(["*.example.com", "10.0.0.5", "fd00::5", ""]);
});

for (const name of ["tcp://web:2376", "web:2376", "a,b", "10.0.0.0/8", "a b", "wéb"]) {
  test(`--tls-san ${name} is refused`, () => {
    assert.throws(
      () => requireTlsNames([name]),
      (error) => isMachineError(error, "usage"),
    );
  });
}
