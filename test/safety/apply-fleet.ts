/** A fleet's file at the fake cloud, applied as the command does it. */
import { sharedCreateFlags } from "../../src/cli/create/shared-flags.ts";
import { applyWork, checkWork, lockFleet } from "../../src/fleet/apply/apply.ts";
import { workOf } from "../../src/fleet/apply/work.ts";
import { parseFleet } from "../../src/fleet/file/parse-fleet.ts";
import { makePlan } from "../../src/fleet/plan/make-plan.ts";
import type { Plan } from "../../src/fleet/plan/plan.ts";
import { flagSourceOf } from "../../src/fleet/testing/fake-flags.ts";
import type { MachineContext } from "../../src/machine/machine-context.ts";
import { throwFailures } from "../../src/machine/many.ts";
import { driverModule } from "./fake-cloud-driver.ts";

const source = flagSourceOf(sharedCreateFlags, { fakecloud: driverModule.flags });

export async function planFleet(context: MachineContext, text: string): Promise<Plan> {
  return await makePlan(context, await parseFleet(text, "m.yml", source), source);
}

/** One machine at a time, and what is in the file no more is removed. */
export async function applyFleet(
  context: MachineContext,
  text: string,
  replace: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const file = await parseFleet(text, "m.yml", source);
  const site = { context, fleet: file.fleet, source, signal };
  await using _lock = await lockFleet(context, file.fleet, "apply", signal);
  const work = workOf(await makePlan(context, file, source), { prune: true, replace });
  await checkWork(site, work, 1);
  throwFailures(await applyWork(site, { work, parallel: 1, swarms: file.swarms, rollout: file.rollout, downgrade: false }));
}
