/** The states of Nova's servers, and which action leads from where to where. */
import type { PowerChange } from "./fake-nova.ts";

/** What of a status Nova says in refusals. */
export const vmStates: Readonly<Record<string, string>> = {
  ...{ ACTIVE: "active", SHUTOFF: "stopped", BUILD: "building", ERROR: "error", PAUSED: "paused", SUSPENDED: "suspended" },
  ...{ SHELVED: "shelved", SHELVED_OFFLOADED: "shelved_offloaded", REBOOT: "active", HARD_REBOOT: "active" },
};

interface ActionRule {
  readonly from: readonly string[];
  readonly to: string;
  readonly task: string;
  readonly switch?: PowerChange;
}

export const actionRules: Readonly<Record<string, ActionRule>> = {
  "os-start": { from: ["SHUTOFF"], to: "ACTIVE", task: "powering-on", switch: "os-start" },
  "os-stop": { from: ["ACTIVE", "ERROR"], to: "SHUTOFF", task: "powering-off", switch: "os-stop" },
  reboot: { from: ["ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "ERROR"], to: "ACTIVE", task: "rebooting", switch: "reboot" },
  unpause: { from: ["PAUSED"], to: "ACTIVE", task: "unpausing" },
  resume: { from: ["SUSPENDED"], to: "ACTIVE", task: "resuming" },
  unshelve: { from: ["SHELVED", "SHELVED_OFFLOADED"], to: "ACTIVE", task: "unshelving" },
};
