/** Which addresses of a guest lead to it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isReachable } from "./guest-address.ts";

test("addresses that lead nowhere are none", () => {
  for (const address of ["172.17.0.1", "127.0.0.1", "169.254.3.4", "0.0.0.0", "224.0.0.1", "fe80::1", "unknown", ""])
    assert.equal(isReachable(address), false, address);
  assert.equal(isReachable("172.17.0.2"), true);
});
