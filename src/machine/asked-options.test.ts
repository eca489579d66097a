import assert from "node:assert/strict";
import { test } from "node:test";
import { driverOptions, type CreateFlag } from "../driver-kit/create-flag.ts";
import { askedOptions, changedOptions, describeChange } from "./asked-options.ts";

const flags: readonly CreateFlag[] = [
  { kind: "int", name: "cloud-memory", usage: "" },
  { kind: "string", name: "cloud-token", usage: "" },
  { kind: "string", name: "cloud-token-kind", usage: "", secret: false },
  { kind: "strings", name: "cloud-port", usage: "" },
];

test("what was asked for is the driver's flags, without credentials and without what others take", () => {
  const options = driverOptions({ "cloud-memory": 1, "cloud-token": "s", "cloud-token-kind": "k", "engine-label": ["a=b"] });
  assert.deepEqual(askedOptions(flags, options), { "cloud-memory": 1, "cloud-token-kind": "k" });
});

test("changes are told by flag, with what it was", () => {
  const before = { "cloud-memory": 1, "cloud-port": ["80", "81"], gone: "x" };
  const changed = changedOptions(before, { "cloud-memory": 2, "cloud-port": [], "cloud-new": true });
  assert.deepEqual(changed.map(describeChange), ["--cloud-memory (1, not 2)", "--cloud-port (80 81, not empty)"]);
  assert.deepEqual(changedOptions(before, { ...before, "cloud-port": ["80", "81"] }), []);
});
