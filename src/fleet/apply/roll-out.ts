/** Engines that become another version: as the file's `rollout` says, each machine judged before more are begun. */
import { MachineError } from "../../errors/machine-error.ts";
import type { Outcome } from "../../machine/machine-context.ts";
import { rollOutEngine, type RolloutSpec } from "../../machine/rollout/upgrade-to.ts";
import { finishUpgrade, type Site } from "./steps.ts";
import type { Work } from "./work.ts";

export interface Upgrades {
  readonly rollout: RolloutSpec;
  /** Engines that are newer than the file says are taken back. */
  readonly downgrade: boolean;
}

/** The version that a machine's engine is to become; undefined where it stays. */
export function versionOf({ machine, kind }: Work): string | undefined {
  if (kind !== "change" && kind !== "continue") return undefined;
  return machine.changes.find(({ effect }) => effect === "engine-upgrade")?.to ?? undefined;
}

/** One version after the other; a stopped roll-out leaves the rest as they are, which is their failure here. */
export async function upgradeEngines(site: Site, work: readonly Work[], upgrades: Upgrades): Promise<Outcome<void>[]> {
  const byVersion = Map.groupBy(work, versionOf);
  const outcomes: Outcome<void>[] = [];
  for (const [version, machines] of byVersion) {
    if (version === undefined) continue;
    outcomes.push(...(await upgradeTo(site, version, machines, upgrades)));
  }
  return outcomes;
}

async function upgradeTo(
  site: Site,
  version: string,
  work: readonly Work[],
  { rollout, downgrade }: Upgrades,
): Promise<Outcome<void>[]> {
  const { context, signal } = site;
  const byName = new Map(work.map((each) => [each.machine.name, each.machine]));
  const names = [...byName.keys()];
  let ends;
  try {
    ends = await rollOutEngine(context, names, { ...rollout, version, downgrade }, signal);
  } catch (error) {
    signal.throwIfAborted();
    return names.map((name) => ({ name, error }));
  }
  const outcomes: Outcome<void>[] = [];
  for (const { name, state, error } of ends) {
    const machine = byName.get(name);
    if (state === "new" && machine !== undefined) {
      await finishUpgrade(site, machine);
      outcomes.push({ name });
    } else outcomes.push({ name, error: error ?? notBegun(name, version) });
  }
  return outcomes;
}

function notBegun(name: string, version: string): MachineError {
  return new MachineError(
    "rollout-failed",
    `"${name}" keeps its engine: the roll-out of ${version} was stopped before its turn`,
    {
      hint: "Once the failures are mended, apply goes on.",
    },
  );
}
