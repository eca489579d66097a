/** Clusters of swarm mode that a file describes: who is no member any more leaves before machines go, who is one joins once all stand. */
import { isMachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { openHost } from "../../machine/host/open-host.ts";
import type { MachineContext, Outcome } from "../../machine/machine-context.ts";
import { forEachMachine } from "../../machine/many.ts";
import { formSwarm } from "../../machine/swarm/form-swarm.ts";
import { leaveSwarm, dropMember } from "../../machine/swarm/leave-swarm.ts";
import { recordedMemberships, swarmMembersOf, type Membership } from "../../machine/swarm/swarm-members.ts";
import type { SwarmSpec } from "../file/fleet-file.ts";
import type { Site } from "./steps.ts";
import type { Work } from "./work.ts";

/** Whether the machine leaves the cluster that it is recorded to be in. */
function leaves({ machine, kind }: Work): boolean {
  if (kind === "remove" || kind === "replace") return true;
  const change = machine.changes.find(({ effect }) => effect === "swarm");
  return change !== undefined && clusterIn(change.to) !== clusterIn(change.from);
}

function clusterIn(text: string | null): string | undefined {
  return text?.split(" ")[0];
}

/**
 * Workers first, and managers as long as a majority of them stays. One that is to be removed and does not answer is taken off
 * the cluster's list by the others. A machine that could not leave fails, and keeps what it has.
 */
export async function leaveClusters({ context, signal }: Site, work: readonly Work[]): Promise<Outcome<void>[]> {
  const recorded = await recordedMemberships(context);
  const members = swarmMembersOf(context, signal);
  const leaving = work.filter((each) => leaves(each) && recorded.has(each.machine.name));
  const isManager = ({ machine }: Work): boolean => recorded.get(machine.name)?.role === "manager";
  const staying = new Map(recorded);
  const failures: Outcome<void>[] = [];
  for (const each of [...leaving.filter((one) => !isManager(one)), ...leaving.filter(isManager)]) {
    const { name } = each.machine;
    staying.delete(name);
    const others = othersOf(recorded.get(name), staying);
    try {
      await leaveSwarm(members, name, others);
    } catch (error) {
      signal.throwIfAborted();
      const isSilent = ["engine-unreachable", "engine-timeout", "ssh-unreachable", "machine-not-running"].some(
        (code) => isMachineError(error) && error.code === code,
      );
      const dropped =
        isSilent && each.kind !== "change" ? await attempt(async () => await dropMember(members, name, others)) : error;
      if (dropped !== undefined) failures.push({ name, error: dropped });
    }
  }
  return failures;
}

/** Managers first: by them the cluster is asked. */
function othersOf(membership: Membership | undefined, staying: ReadonlyMap<string, Membership>): string[] {
  const same = [...staying].filter(([, { cluster }]) => cluster === membership?.cluster);
  return same.flatMap(([name, { role }]) => (role === "manager" ? [name] : []));
}

/** @param failed machines whose own work failed: they wait for the next apply, the others form what can be formed */
export async function formClusters(
  { context, signal }: Site,
  swarms: readonly SwarmSpec[],
  work: readonly Work[],
  failed: ReadonlySet<string>,
): Promise<Outcome<void>[]> {
  const members = swarmMembersOf(context, signal);
  const concerned = new Set(work.map(({ machine }) => machine.name));
  const outcomes: Outcome<void>[] = [];
  for (const { name, managers, workers, dataPathPort } of swarms) {
    if (![...managers, ...workers].some((member) => concerned.has(member))) continue;
    const there = async (names: readonly string[]): Promise<string[]> => {
      const known = await Promise.all(names.map(async (each) => !failed.has(each) && (await context.store.has(each))));
      return names.filter((_, index) => known[index]);
    };
    const wish = { name, dataPathPort, managers: await there(managers), workers: await there(workers) };
    if (wish.managers.length === 0) continue;
    const error = await attempt(async () => await formSwarm(members, wish));
    signal.throwIfAborted();
    if (error !== undefined)
      outcomes.push(
        ...[...wish.managers, ...wish.workers].filter((each) => concerned.has(each)).map((each) => ({ name: each, error })),
      );
  }
  return outcomes;
}

/**
 * The clusters go with their fleet. A box that was adopted stays, and is of no cluster then; one that does not answer is left
 * as it is, which is said.
 */
export async function abandonClusters(context: MachineContext, names: readonly string[], signal: AbortSignal): Promise<void> {
  const recorded = await recordedMemberships(context);
  const members = swarmMembersOf(context, signal);
  await forEachMachine(
    names.filter((name) => recorded.has(name)),
    names.length,
    async (name) => {
      if (!(await staysAfterRemoval(context, name))) return;
      const error = await attempt(async () => {
        await members.at(name, async (engine) => {
          if ((await engine.place()).state !== "inactive") await engine.leave(true);
        });
        await members.record(name, undefined);
      });
      signal.throwIfAborted();
      if (error !== undefined) logTo(context.reportFor(name), "warn", `"${name}" is still in its swarm: ${messageOf(error)}`);
    },
  );
}

async function staysAfterRemoval(context: MachineContext, name: string): Promise<boolean> {
  await using host = await openHost(context, name);
  return host.module.capabilities.adopted;
}

async function attempt(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}
