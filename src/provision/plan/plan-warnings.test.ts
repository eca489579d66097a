/** What a plan warns of, by the facts of the host. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { hostFacts, provisionRequest } from "../../../test/support/host-facts.ts";
import { detectFamily } from "../families/detect-family.ts";
import type { HostFacts } from "../facts/facts.ts";
import { planProvision } from "./plan.ts";

test("where SELinux is enforcing and nothing can label what is written, the plan says so; and is silent where all is labelled", () => {
  const warnings = (selinux: HostFacts["selinux"], ...more: string[]): readonly string[] => {
    const facts = hostFacts({ selinux, programs: new Set(["curl", "tar", "iptables", ...more]) });
    return planProvision(facts, detectFamily(facts), provisionRequest()).warnings;
  };
  assert.deepEqual(warnings("enforcing"), [
    "SELinux is enforcing on web and restorecon is not installed: what is written there is labelled like the folder that it is in, and not as the policy says; the package policycoreutils brings it",
  ]);
  assert.deepEqual(warnings("enforcing", "restorecon"), []);
  assert.deepEqual(warnings("permissive"), []);
});
