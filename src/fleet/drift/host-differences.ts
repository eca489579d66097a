/** What of a host is not as provisioning left it: what the plan of another provisioning would change. Pure. */
import type { MachineError } from "../../errors/machine-error.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import type { Examination } from "../../provision/host/examine-host.ts";
import type { PlannedFile } from "../../provision/plan/plan.ts";
import { isVersion } from "../../machine/rollout/engine-version.ts";
import type { NodeRole } from "../../machine/swarm/swarm-api.ts";
import type { SwarmHealth } from "../../provision/facts/health-facts.ts";
import { changesLifetime } from "../../provision/lifetime/lifetime.ts";
import type { Difference } from "./drift.ts";

export interface Wanted {
  /** The version that was asked for; undefined = any. */
  readonly engineVersion: string | undefined;
  /** Whether the certificate here still serves; undefined where the engine has none. */
  readonly certificate: "serves" | "must-be-renewed" | undefined;
  /** What it is in its cluster of swarm mode; undefined = of none that is known here, whatever its owner did. */
  readonly swarmRole?: NodeRole | undefined;
}

export function hostDifferences({ facts, plan, health }: Examination, wanted: Wanted): Difference[] {
  if (isMachineError(plan)) return [refused(plan)];
  const { engine } = facts;
  const isInstalled = plan.installations.length === 0;
  const found: Difference[] = [];
  const add = (key: string, expected: string, seen: string, repair: Difference["repair"] = "provision"): void =>
    void found.push({ key, expected, found: seen, repair });
  if (!isInstalled) add("engine", "installed", "not installed");
  else if (!engine.unitActive) add("engine", "running", "stopped");
  if (isInstalled && plan.enable) add("engine-at-boot", "on", "off");
  const version = engine.answer?.serverVersion ?? engine.version;
  if (wanted.engineVersion !== undefined && version !== undefined && !isVersion(version, wanted.engineVersion))
    add("engine-version", wanted.engineVersion, version, "upgrade");
  if (wanted.certificate === "must-be-renewed") add("certificate", "valid for the machine", "ending, or for others");
  for (const file of plan.files)
    if (isJudged(file, wanted)) add(file.path, "as provisioned", file.change === "create" ? "missing" : "changed");
  for (const path of plan.removals) add(path, "none", "there");
  const altered = [...(facts.record?.altered ?? [])].filter((path) => !found.some(({ key }) => key === path));
  // daemon.json is its owner's: what of it is ours was looked at.
  for (const path of altered.filter(isOurs)) add(path, "as provisioned", "changed by hand");
  if (plan.firewall.length > 0) add("firewall", "open for clients", "closed");
  if (plan.lifetime !== undefined) {
    if (changesLifetime(plan.lifetime)) add("ttl", "as recorded", "otherwise, or not told");
    else if (health.lifetimeStopped) add("ttl", "timer active", "timer stopped");
  }
  if (wanted.swarmRole !== undefined && health.swarm !== undefined)
    found.push(...swarmDifferences(health.swarm, wanted.swarmRole));
  if (plan.hostName !== undefined) add("host-name", plan.hostName, facts.hostName);
  return found;
}

/** It left, or was made another node than it is to be. One that its cluster does not know any more, or that is locked, is for its owner. */
function swarmDifferences({ state, error, isManager }: SwarmHealth, expected: NodeRole): Difference[] {
  const key = "swarm";
  if (state === "inactive") return [{ key, expected, found: "in no swarm", repair: "swarm" }];
  if (state !== "active") return [{ key, expected, found: error === "" ? state : `${state}: ${error}`, repair: undefined }];
  const role = isManager ? "manager" : "worker";
  return role === expected ? [] : [{ key, expected, found: role, repair: "swarm" }];
}

function isJudged({ path, change }: PlannedFile, { certificate }: Wanted): boolean {
  return change !== "same" && (certificate === "serves" || !path.endsWith(".pem"));
}

function isOurs(path: string): boolean {
  return !path.endsWith("/daemon.json") && !path.endsWith(".pem");
}

/** Something stands there that provisioning would have to contradict. */
function refused({ message }: MachineError): Difference {
  return { key: "host", expected: "as provisioned", found: message, repair: undefined };
}
