import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MachineError } from "../../errors/machine-error.ts";
import { SeveralFailedError } from "../../machine/many.ts";
import { errorObject, renderError } from "./render-error.ts";

const plain = { debug: false, compat: false };
const notFound = new MachineError("machine-not-found", 'Docker machine "x" does not exist.');
const refused = new MachineError("ssh-unreachable", "Connection refused", {
  hint: "Start sshd.",
  cause: new Error("ECONNREFUSED"),
});

describe("renderError", () => {
  it("gives the sentence, then the way out", () => {
    assert.equal(renderError(notFound, plain), 'Docker machine "x" does not exist.');
    assert.equal(renderError(refused, plain), "Connection refused\nHint: Start sshd.");
    assert.equal(renderError(refused, { ...plain, compat: true }), "Connection refused");
  });

  it("shows stacks, causes too, with --debug only", () => {
    const text = renderError(refused, { ...plain, debug: true });
    assert.match(
      text,
      /^Connection refused\nHint: Start sshd\.\nError code: [a-z-]+\nMachineError: Connection refused\n {4}at .*\nCaused by: Error: ECONNREFUSED\n {4}at /su,
    );
    assert.doesNotMatch(renderError(new TypeError("oops"), plain), / at /u);
  });

  it("calls a bug a bug, and says where its report is", () => {
    assert.equal(
      renderError(new TypeError("oops"), { ...plain, report: { file: "/s/crash-reports/1.txt" } }),
      "Unexpected error: oops\nThis is a bug of docker-machine. A report without secrets is in /s/crash-reports/1.txt; it was sent to nobody.",
    );
    assert.match(
      renderError("thrown text", { ...plain, report: { problem: "read-only" } }),
      /^Unexpected error: thrown text\n.*read-only$/u,
    );
  });

  it("names each machine that failed, and gives each way out once", () => {
    const several = Object.assign(new MachineError("several-failed", "3 of 4 machines failed"), {
      failed: [
        { name: "x", error: notFound },
        { name: "y", error: refused },
        { name: "z", error: refused },
      ],
    });
    assert.equal(
      renderError(several, plain),
      'Docker machine "x" does not exist.\n(y) Connection refused\n(z) Connection refused\nHint: Start sshd.',
    );
    assert.equal(
      renderError(several, { ...plain, compat: true }),
      'Docker machine "x" does not exist.\nConnection refused\nConnection refused',
    );
    assert.deepEqual(errorObject(several)["machines"], [
      { machine: "x", type: "error", code: "machine-not-found", message: 'Docker machine "x" does not exist.' },
      { machine: "y", type: "error", code: "ssh-unreachable", message: "Connection refused", hint: "Start sshd." },
      { machine: "z", type: "error", code: "ssh-unreachable", message: "Connection refused", hint: "Start sshd." },
    ]);
  });
});

describe("failures of several machines", () => {
  const of = (failures: readonly (readonly [string, string, string | undefined])[], compat = false): string[] =>
    renderError(
      new SeveralFailedError(
        failures.map(([name, message, hint]) => ({ name, error: new MachineError("driver-failed", message, { hint }) })),
        failures.length,
      ),
      { debug: false, compat },
    ).split("\n");

  it("stand each with its own way out, and a common one once below all", () => {
    assert.deepEqual(
      of([
        ["a", "it is off", "Switch it on."],
        ["b", "no route", "Start sshd."],
        ["c", "refused", "Start sshd."],
        ["d", "odd", undefined],
        ["e", "odd", undefined],
      ]),
      ["(a) it is off", "Hint: Switch it on.", "(b) no route", "(c) refused", "(d) odd", "(e) odd", "Hint: Start sshd."],
    );
    assert.deepEqual(of([["a", "it is off", "Switch it on."]], true), ["it is off"]);
  });
});
