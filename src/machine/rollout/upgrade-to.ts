/** `upgrade --to VERSION`: engines of many machines brought to one version, in batches, each machine judged before more are begun. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { openHost } from "../host/open-host.ts";
import { stateOf } from "../host/wait-for-state.ts";
import type { MachineContext } from "../machine-context.ts";
import { upgradeMachine } from "../maintain.ts";
import { forEachMachine, throwFailures } from "../many.ts";
import { engineVersionAt, keptContainers, passGate, type HealthGate, type KeptContainer } from "./engine-gate.ts";
import { recordedMemberships, swarmMembersOf } from "../swarm/swarm-members.ts";
import { swarmTurns, type SwarmTurns } from "./swarm-turns.ts";
import { isNewer, isVersion } from "./engine-version.ts";
import { rollOut, type RolledOut, type RolloutPace, type RolloutWork } from "./roll-out.ts";

/** How an engine's version is changed on many machines. */
export interface RolloutSpec extends RolloutPace {
  readonly healthy: HealthGate;
}

export interface EngineRollout extends RolloutSpec {
  /** `28.4`, or as its package is called. */
  readonly version: string;
  /** Machines whose engine is newer are taken back to it; else they are refused before anything is begun. */
  readonly downgrade: boolean;
}

export interface RolledOutEngine extends RolledOut {
  /** "" where it was not known. */
  readonly before: string;
}

const atOnce = 32;

/**
 * All machines in the order given; those that have the version already are only judged. Throws
 * `rollout-refused` before anything is begun, for engines that are newer; and what {@link rollOut} throws.
 */
export async function rollOutEngine(
  context: MachineContext,
  names: readonly string[],
  rollout: EngineRollout,
  signal: AbortSignal,
): Promise<RolledOutEngine[]> {
  const { version } = rollout;
  const versions = await presentVersions(context, names, signal);
  if (!rollout.downgrade) refuseDowngrade(versions, version);
  const turns = await swarmTurns(swarmMembersOf(context, signal), await recordedMemberships(context), names);
  const work = engineWork(context, rollout, versions, turns, signal);
  const onPause = (ms: number): void => logTo(context.reportFor(undefined), "info", `Waiting ${Math.round(ms / 1000)} s...`);
  const time = { clock: context.clock, signal, onPause };
  const many = await rollOut(turns.many, rollout, work, time);
  const failures = many.filter(({ error }) => error !== undefined).length;
  const managers = await rollOut(
    failures > rollout.maxFail ? [] : turns.managers,
    afterMany(rollout, many.length, failures),
    work,
    time,
  );
  const ends = new Map([...many, ...managers].map((end) => [end.name, end]));
  return names.map((name) => ({ ...(ends.get(name) ?? { name, state: "old" }), before: versions.get(name) ?? "" }));
}

/** Managers one at a time: their swarm has to have a majority of them. */
function afterMany(rollout: EngineRollout, done: number, failures: number): RolloutPace {
  const first = done > 0 ? undefined : rollout.first;
  const pauseMs = done > 0 && rollout.first !== undefined ? 0 : rollout.pauseMs;
  return { maxUnavailable: { machines: 1 }, maxFail: rollout.maxFail - failures, first, pauseMs };
}

/** Of engines that run and answer; a machine that is off is started for its upgrade, one that cannot be reached fails then. */
async function presentVersions(
  context: MachineContext,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const outcomes = await forEachMachine(names, atOnce, async (name) => {
    if (!(await context.store.has(name))) await context.store.load(name);
    return await engineVersionAt(context, name, signal).catch(() => "");
  });
  throwFailures(outcomes);
  return new Map(outcomes.map(({ name, value = "" }) => [name, value]));
}

function refuseDowngrade(versions: ReadonlyMap<string, string>, version: string): void {
  const newer = [...versions].filter(([, actual]) => isNewer(actual, version));
  if (newer.length === 0) return;
  const which = newer.map(([name, actual]) => `${name} (${actual})`).join(", ");
  throw new MachineError("rollout-refused", `Newer than ${version} are: ${which}. Nothing was begun`, {
    hint: "To take them back to the older one, give --downgrade too.",
  });
}

function engineWork(
  context: MachineContext,
  { version, healthy }: EngineRollout,
  present: ReadonlyMap<string, string>,
  turns: SwarmTurns,
  signal: AbortSignal,
): RolloutWork {
  const kept = new Map<string, readonly KeptContainer[]>();
  const begun = new Set<string>();
  const judge = async (name: string): Promise<void> => {
    await passGate(context, name, { version, containers: kept.get(name) ?? [] }, healthy, signal);
    logTo(context.reportFor(name), "info", `"${name}" is as it should be`);
  };
  return {
    judge,
    change: async (name) => {
      if (isVersion(present.get(name) ?? "", version)) return await judge(name);
      if (healthy.containers === "as-before" && (await isRunning(context, name, signal)))
        kept.set(name, await keptContainers(context, name, signal));
      await turns.around(name, async () => {
        begun.add(name);
        await upgradeMachine(context, name, signal, version);
        await judge(name);
      });
    },
    stateAfterFailure: async (name) => {
      // What was never reached is as it was.
      if (!begun.has(name) && !isVersion(present.get(name) ?? "", version)) return "old";
      const actual = await engineVersionAt(context, name, signal).catch(() => "");
      return actual !== "" && !isVersion(actual, version) ? "old" : "broken";
    },
  };
}

async function isRunning(context: MachineContext, name: string, signal: AbortSignal): Promise<boolean> {
  await using host = await openHost(context, name);
  return (await stateOf(context, host, signal)) === "Running";
}
