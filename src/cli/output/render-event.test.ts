import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ProgressEvent } from "../../log/event.ts";
import { renderEvent } from "./render-event.ts";

describe("renderEvent", () => {
  it("says what 0.16.2 says", () => {
    const lines: readonly (readonly [ProgressEvent, string])[] = [
      [{ type: "creating-ca", path: "/s/certs/ca.pem" }, "Creating CA: /s/certs/ca.pem"],
      [{ type: "creating-client-certificate", path: "/s/cert.pem" }, "Creating client certificate: /s/cert.pem"],
      [{ type: "pre-create-check" }, "Running pre-create checks..."],
      [{ type: "creating-instance" }, "Creating machine..."],
      [{ type: "waiting-for-running" }, "Waiting for machine to be running, this may take a few minutes..."],
      [{ type: "detecting-os" }, "Detecting operating system of created instance..."],
      [{ type: "waiting-for-ssh" }, "Waiting for SSH to be available..."],
      [{ type: "detecting-provisioner" }, "Detecting the provisioner..."],
      [{ type: "provisioning", provisioner: "debian" }, "Provisioning with debian..."],
      [{ type: "installing-engine", source: "docker" }, "Installing Docker..."],
      [{ type: "preparing-certificates" }, "Copying certs to the local machine directory..."],
      [{ type: "copying-certificates" }, "Copying certs to the remote machine..."],
      [{ type: "configuring-engine" }, "Setting Docker configuration on the remote daemon..."],
      [{ type: "configuring-swarm" }, "Configuring swarm..."],
      [{ type: "checking-engine" }, "Checking connection to Docker..."],
      [{ type: "engine-ready" }, "Docker is up and running!"],
    ];
    for (const [event, text] of lines) assert.deepEqual(renderEvent(event), { level: "info", text });
  });

  it("names the machine on its driver's lines", () => {
    assert.equal(
      renderEvent({ type: "log", level: "info", text: "Creating SSH key...", machine: "web" })?.text,
      "(web) Creating SSH key...",
    );
    assert.equal(renderEvent({ type: "log", level: "debug", text: "GET /v2", machine: "web" })?.text, "(web) DBG | GET /v2");
    assert.deepEqual(renderEvent({ type: "log", level: "warn", text: "plain" }), { level: "warn", text: "plain" });
  });

  it("leaves measurements to views that show them", () => {
    assert.equal(renderEvent({ type: "transfer", what: "image", doneBytes: 1 }), undefined);
    assert.equal(renderEvent({ type: "phase-started", phase: "boot" }), undefined);
  });
});
