/** `drift`: what on the machines of a fleet is not as their records say. Nothing is changed, by construction. */
import { MachineError } from "../../errors/machine-error.ts";
import { expandRanges } from "../../fleet/file/machine-names.ts";
import { summaryOf, type Plan, type PlannedMachine } from "../../fleet/plan/plan.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openFleet } from "../fleet/open-fleet.ts";
import { driftJson, printLines } from "../fleet/print-plan.ts";
import { driftLines } from "../fleet/drift-text.ts";
import { openContext } from "../open-context.ts";
import { lookedAt, planOf, statusOf } from "./plan.ts";

export async function run({ options, args }: Invocation, context: CliContext): Promise<number> {
  const machineContext = openContext(context);
  const only = expandRanges(args);
  const plan = await planOf(await openFleet(options.string("file"), context), only, machineContext, context);
  const chosen = plan.machines.filter((machine) => isLookedAt(machine, only.length > 0));
  const looked = await lookedAt(plan, chosen, options.strings("ignore"), machineContext, context.signal);
  const names = new Set(chosen.map(({ name }) => name));
  const machines = looked.machines.flatMap((each) => (names.has(each.name) ? [{ ...each, ...unplanned }] : []));
  const found: Plan = { ...looked, machines };
  if (context.globals.output === "json") context.printJson(asJson(found));
  else printLines((style) => driftLines(found, style), context);
  return statusOf(found, options.bool("detailed-exitcode"));
}

/** What the file would change is no matter of drift. */
const unplanned = { action: "none", reason: "", changes: [], needs: undefined } as const;

/** All that are the fleet's; of those that are named, each. Throws `machine-not-found` for one that nobody has made yet. */
function isLookedAt({ name, action, exists }: PlannedMachine, isNamed: boolean): boolean {
  if (exists) return action !== "refuse" && (isNamed || action !== "mark");
  if (!isNamed) return false;
  throw new MachineError("machine-not-found", `"${name}" is not there yet`, { hint: "docker-machine apply makes it." });
}

function asJson(found: Plan): object {
  const { drifted, unknown } = summaryOf(found);
  const machines = found.machines.map(({ name, drift }) => ({ name, ...(drift === undefined ? {} : driftJson(drift)) }));
  const asRecorded = machines.length - drifted - unknown;
  return { fleet: found.fleet, machines, summary: { "as-recorded": asRecorded, drifted, unknown } };
}
