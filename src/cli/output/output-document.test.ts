/** docs/output.md and its schema know every event, and events are as the schema says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { misfits, type Schema } from "../../../test/support/json-schema.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { ProgressEvent } from "../../log/event.ts";
import { Redactor } from "../../log/redact.ts";
import { FakeClock } from "../../system/fake-clock.ts";
import { fakeStreams } from "../testing/fake-terminal.ts";
import { errorObject } from "./render-error.ts";
import { Reporter } from "./reporter.ts";
import { Screen } from "./screen.ts";

/** One of every type: the compiler asks for the missing one. */
const samples: { readonly [Type in ProgressEvent["type"]]: Extract<ProgressEvent, { type: Type }> } = {
  log: { type: "log", level: "warn", text: "text" },
  "creating-ca": { type: "creating-ca", path: "/s/certs/ca.pem" },
  "creating-client-certificate": { type: "creating-client-certificate", path: "/s/certs/cert.pem" },
  "pre-create-check": { type: "pre-create-check" },
  "creating-instance": { type: "creating-instance" },
  "waiting-for-running": { type: "waiting-for-running" },
  "waiting-for-ssh": { type: "waiting-for-ssh" },
  "host-key-pinned": { type: "host-key-pinned", host: "10.0.0.7", fingerprint: "SHA256:x", trust: "first-use" },
  "detecting-os": { type: "detecting-os" },
  "detecting-provisioner": { type: "detecting-provisioner" },
  provisioning: { type: "provisioning", provisioner: "debian" },
  "preparing-certificates": { type: "preparing-certificates" },
  "installing-engine": { type: "installing-engine", source: "docker", version: undefined },
  "copying-certificates": { type: "copying-certificates" },
  "configuring-engine": { type: "configuring-engine" },
  "opening-firewall": { type: "opening-firewall", firewall: "ufw", port: 2376 },
  "configuring-swarm": { type: "configuring-swarm" },
  "checking-engine": { type: "checking-engine" },
  "engine-ready": { type: "engine-ready" },
  "machine-planned": {
    type: "machine-planned",
    action: "change",
    reason: "",
    changes: [{ key: "labels.env", from: null, to: "prod", effect: "record" }],
  },
  "machine-applied": { type: "machine-applied", action: "create" },
  transfer: { type: "transfer", what: "image", doneBytes: 1 },
  "phase-started": { type: "phase-started", phase: "boot" },
  "phase-finished": { type: "phase-finished", phase: "boot", durationMs: 12.5 },
};

const schema = JSON.parse(readFileSync("docs/output.schema.json", "utf8")) as Schema;
const document = readFileSync("docs/output.md", "utf8");

/** As NDJSON writes it. */
function written(write: (reporter: Reporter) => void): Record<string, unknown> {
  const streams = fakeStreams();
  const options = { redactor: new Redactor(), clock: new FakeClock(), debug: false, format: "json", output: "progress" } as const;
  write(new Reporter({ screen: new Screen(streams), ...options }));
  return JSON.parse(streams.stdout.text) as Record<string, unknown>;
}

function assertFits(line: Readonly<Record<string, unknown>>): void {
  assert.deepEqual(misfits(line, schema), []);
}

describe("the documented output", () => {
  for (const event of Object.values(samples)) {
    it(`has ${event.type}`, () => {
      assertFits(written((reporter) => reporter.reportFor("web", true)(event)));
      assert.match(document, new RegExp(`^\\| \`${event.type}\` \\|`, "mu"));
    });
  }

  it("has errors", () => {
    const inner = new MachineError("timeout", "Too late", { hint: "Wait." });
    const several = Object.assign(new MachineError("several-failed", "1 of 2"), { failed: [{ name: "web", error: inner }] });
    for (const error of [inner, several, new TypeError("bug")])
      assertFits(written((reporter) => reporter.writeObject(errorObject(error))));
    assert.match(document, /^\| `error` \|/mu);
  });
});
