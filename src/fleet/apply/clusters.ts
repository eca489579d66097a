/** Clusters of swarm mode that a file describes: who is no member any more leaves before machines go, who is one joins once all stand. */
import type { ErrorCode } from "../../errors/codes.ts";
import { isMachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { openHost } from "../../machine/host/open-host.ts";
import type { MachineContext, Outcome } from "../../machine/machine-context.ts";
import { forEachMachine } from "../../machine/many.ts";
import { formSwarm } from "../../machine/swarm/form-swarm.ts";
import { leaveSwarm, dropMember } from "../../machine/swarm/leave-swarm.ts";
import { recordedMemberships, swarmMembersOf } from "../../machine/swarm/swarm-members.ts";
import type { SwarmSpec } from "../file/fleet-file.ts";
import { membershipsIn } from "../plan/memberships.ts";
import { departuresOf } from "./departures.ts";
import type { Site } from "./steps.ts";
import type { Work } from "./work.ts";

const silences: ReadonlySet<ErrorCode> = new Set([
  "engine-unreachable",
  "engine-timeout",
  "ssh-unreachable",
  "machine-not-running",
]);

/**
 * Workers first, and managers as long as a majority of them stays. One that is to be removed and does not answer is taken off
 * the cluster's list by the others. A machine that could not leave fails, and keeps what it has.
 */
export async function leaveClusters(
  { context, signal }: Site,
  work: readonly Work[],
  swarms: readonly SwarmSpec[],
): Promise<Outcome<void>[]> {
  const members = swarmMembersOf(context, signal);
  const outcomes: Outcome<void>[] = [];
  for (const { name, others, isRemoved } of departuresOf(work, await recordedMemberships(context), membershipsIn(swarms))) {
    const mayBeDropped = (error: unknown): boolean => isRemoved && isMachineError(error) && silences.has(error.code);
    const error = await attempt(async () => {
      try {
        await leaveSwarm(members, name, others);
      } catch (failure) {
        if (!mayBeDropped(failure)) throw failure;
        await dropMember(members, name, others);
      }
    });
    signal.throwIfAborted();
    if (error !== undefined) outcomes.push({ name, error });
  }
  return outcomes;
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
