/** All checks, in the order in which they are looked at and told. `docs/doctor.md` has a row for each. */
import type { AnyCheck } from "../check.ts";
import { computerChecks } from "./computer-checks.ts";
import { connectionChecks } from "./connection-checks.ts";
import { engineChecks, swarmChecks } from "./engine-checks.ts";
import { clockChecks, hostChecks, networkChecks } from "./host-checks.ts";
import { lifetimeChecks } from "./lifetime-checks.ts";
import { publishedChecks } from "./published-checks.ts";
import { recordChecks, useChecks } from "./record-checks.ts";
import { sshChecks } from "./ssh-checks.ts";

export const checks: readonly AnyCheck[] = [
  ...computerChecks,
  ...recordChecks,
  ...sshChecks,
  ...clockChecks,
  ...hostChecks,
  ...engineChecks,
  ...connectionChecks,
  ...networkChecks,
  ...swarmChecks,
  ...lifetimeChecks,
  ...publishedChecks,
  ...useChecks,
];
