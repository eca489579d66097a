/** What errors of the SDK that no emulator makes are told as. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { failureError } from "../../driver-kit/provider-error.ts";
import { failureOf, failures } from "./failures.ts";

test("a region that is none is told as one that may be", () => {
  const error = Object.assign(new Error("getaddrinfo ENOTFOUND ec2.mars-1.amazonaws.com"), { code: "ENOTFOUND" });
  const told = failureError("AWS", failureOf(error), failures, { region: "mars-1" });
  assert.equal(told.code, "provider-unreachable");
  assert.match(told.message, /^AWS has no address in mars-1: either there is no such region, .*ENOTFOUND ec2\.mars-1/u);
  assert.match(told.hint ?? "", /--amazonec2-region/u);
});
