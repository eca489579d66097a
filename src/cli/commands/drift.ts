/** `drift`: what on the machines of a fleet is not as their records say. Nothing is changed, by construction. */
import { makePlan } from "../../fleet/plan/make-plan.ts";
import { standing, summaryOf, type Plan } from "../../fleet/plan/plan.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openFleet } from "../fleet/open-fleet.ts";
import { driftJson, printLines } from "../fleet/print-plan.ts";
import { driftLines } from "../fleet/drift-text.ts";
import { openContext } from "../open-context.ts";
import { lookedAt, statusOf } from "./plan.ts";

export async function run({ options }: Invocation, context: CliContext): Promise<number> {
  const machineContext = openContext(context);
  const { file, source } = await openFleet(options.string("file"), context);
  const plan = await makePlan(machineContext, file, source);
  const looked = await lookedAt(plan, options.strings("ignore"), machineContext, context.signal);
  const machines = standing(looked).map((machine) => ({ ...machine, action: "none" as const }));
  const found: Plan = { ...looked, machines };
  if (context.globals.output === "json") context.printJson(asJson(found));
  else printLines((style) => driftLines(found, style), context);
  return statusOf(found, options.bool("detailed-exitcode"));
}

function asJson(found: Plan): object {
  const { drifted, unknown } = summaryOf(found);
  const machines = found.machines.map(({ name, drift }) => ({ name, ...(drift === undefined ? {} : driftJson(drift)) }));
  const asRecorded = machines.length - drifted - unknown;
  return { fleet: found.fleet, machines, summary: { "as-recorded": asRecorded, drifted, unknown } };
}
