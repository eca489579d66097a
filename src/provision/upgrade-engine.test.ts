import assert from "node:assert/strict";
import { test } from "node:test";
import { provisionRequest } from "../../test/support/host-facts.ts";
import { reportNothing } from "../log/event.ts";
import { systemClock } from "../system/clock.ts";
import { debianFacts, FakeSshExecutor } from "../testing/fake-ssh-executor.ts";
import { upgradeEngine } from "./provision.ts";

test("an engine whose package cannot be told is not upgraded by other means than it came by", async () => {
  const ssh = new FakeSshExecutor();
  const facts = debianFacts.filter(([key]) => key !== "engine-package");
  ssh.says.set("look", [() => ({ facts: [...facts, ["engine-package-unknown", "yes"]] })]);
  const context = { ssh, clock: systemClock, report: reportNothing, signal: new AbortController().signal };
  await assert.rejects(upgradeEngine(provisionRequest(), context), {
    code: "package-manager",
    message: /cannot tell which package \/usr\/sbin\/dockerd belongs to$/u,
  });
  assert.ok(!ssh.scripts.includes("install"), ssh.scripts.join(" "));
});
