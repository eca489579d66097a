import assert from "node:assert/strict";
import { test } from "node:test";
import { isMachineError, MachineError } from "../errors/machine-error.ts";
import {
  failureError,
  failureKindOf,
  isNotFound,
  kindOfStatus,
  type FailureKind,
  type FailureRow,
  type ProviderFailure,
} from "./provider-error.ts";

const table: readonly FailureRow[] = [
  {
    codes: ["NoRoom", /^Insufficient/u],
    kind: "capacity",
    sentence: "{zone} has no {size} now",
    hint: "Try another zone than {zone}",
  },
  { codes: ["Full"], message: /droplet limit/u, kind: "quota", sentence: "The limit of {provider} is reached" },
  { message: /no such size/u, kind: "not-found", sentence: "There is no size {size}: {message}" },
];
const facts = { zone: "ams3", size: "tiny" };

function failed(part: Partial<ProviderFailure>): ProviderFailure {
  return { kind: "invalid", code: "", message: "", ...part };
}

test("the first row that fits gives the sentence, the way out and the kind; the provider's words follow", () => {
  const error = failureError("Cloud", failed({ code: "InsufficientRoom", message: "We are  full.\n" }), table, facts);
  assert.deepEqual(
    [error.code, error.message, error.hint],
    ["provider-capacity", "ams3 has no tiny now: We are full (InsufficientRoom)", "Try another zone than ams3"],
  );
  assert.equal(error.failure.kind, "capacity");
});

test("a row fits when all fits that it names; with {message} nothing follows", () => {
  const quota = failureError("Cloud", failed({ code: "Full", message: "exceeds your droplet limit" }), table, facts);
  assert.equal(quota.message, "The limit of Cloud is reached: exceeds your droplet limit (Full)");
  const other = failureError("Cloud", failed({ code: "Full", message: "of water" }), table, facts);
  assert.deepEqual([other.code, other.message], ["provider-invalid", "Cloud refused the request: of water (Full)"]);
  const size = failureError("Cloud", failed({ message: "no such size" }), table, facts);
  assert.deepEqual([size.code, size.message], ["provider-not-found", "There is no size tiny: no such size"]);
});

test("without its facts a row gives the kind, but no sentence with holes", () => {
  const error = failureError("Cloud", failed({ code: "NoRoom", message: "full" }), table, { zone: "ams3" });
  assert.deepEqual([error.code, error.message], ["provider-capacity", "Cloud has no room for it now: full (NoRoom)"]);
});

test("pages of HTML are quoted in one line of bearable length", () => {
  const error = failureError("Cloud", failed({ kind: "server", message: "<p>\n".repeat(1_000) }), table);
  assert.ok(error.message.length < 600 && !error.message.includes("\n"));
});

test("each kind has a code of its own, and is read back from an error and its causes", () => {
  const kinds: readonly FailureKind[] = [
    "credentials",
    "permission",
    "not-found",
    "exists",
    "quota",
    "capacity",
    "rate-limit",
    "busy",
    "invalid",
    "unsupported",
    "account",
    "server",
    "network",
  ];
  const errors = kinds.map((kind) => failureError("Cloud", failed({ kind }), []));
  assert.equal(new Set(errors.map(({ code }) => code)).size, kinds.length);
  assert.deepEqual(errors.map(failureKindOf), kinds);
  const wrapped = new MachineError("pre-create-check", "no", { cause: errors[2] });
  assert.equal(isNotFound(wrapped), true);
  assert.equal(isNotFound(errors[0]), false);
  for (const other of [
    new MachineError("provider-error", "an engine's"),
    new MachineError("timeout", "x"),
    new Error("x"),
    undefined,
  ])
    assert.equal(failureKindOf(other), undefined);
  assert.ok(isMachineError(errors[0], "provider-credentials"));
});

test("what a status says where there is nothing more", () => {
  const kinds = [400, 401, 403, 404, 409, 422, 429, 500, 503].map(kindOfStatus);
  const wanted = ["invalid", "credentials", "permission", "not-found", "exists", "invalid", "rate-limit", "server", "server"];
  assert.deepEqual(kinds, wanted);
});
