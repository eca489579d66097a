/** Which cluster of swarm mode a machine is to be a member of, against the one that it is recorded in. Pure. */
import type { Membership } from "../../machine/swarm/swarm-members.ts";
import type { SwarmSpec } from "../file/fleet-file.ts";
import type { PlannedChange } from "./plan.ts";

/** By the machine's name. */
export function membershipsIn(swarms: readonly SwarmSpec[]): ReadonlyMap<string, Membership> {
  return new Map<string, Membership>(
    swarms.flatMap(({ name: cluster, managers, workers }) => [
      ...managers.map((name): [string, Membership] => [name, { cluster, role: "manager" }]),
      ...workers.map((name): [string, Membership] => [name, { cluster, role: "worker" }]),
    ]),
  );
}

export function membershipChange(wanted: Membership | undefined, present: Membership | undefined): PlannedChange[] {
  const [from, to] = [shown(present), shown(wanted)];
  return from === to ? [] : [{ key: "swarm", from, to, effect: "swarm" }];
}

/** `prod (manager)` */
function shown(membership: Membership | undefined): string | null {
  return membership === undefined ? null : `${membership.cluster} (${membership.role})`;
}
