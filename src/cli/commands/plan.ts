/** `plan`: what `apply` would do. Nothing is changed. */
import { makePlan } from "../../fleet/plan/make-plan.ts";
import { isChange, summaryOf, type Plan } from "../../fleet/plan/plan.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openFleet } from "../fleet/open-fleet.ts";
import { planLines } from "../fleet/plan-text.ts";
import { openContext } from "../open-context.ts";

const differs = 2;

export async function run({ options }: Invocation, context: CliContext): Promise<number> {
  const machineContext = openContext(context);
  const { file, source } = await openFleet(options.string("file"), context);
  const plan = await makePlan(machineContext, file, source);
  printPlan(plan, context);
  return options.bool("detailed-exitcode") && plan.machines.some(isChange) ? differs : 0;
}

export function printPlan(plan: Plan, context: CliContext): void {
  if (context.globals.output === "json") return context.printJson(planJson(plan));
  const view = context.liveLines();
  if (view === undefined) {
    for (const line of planLines(plan, { columns: Number.POSITIVE_INFINITY, hasColour: false })) context.print(line);
    return;
  }
  // Its colours are ours: a line of result would lose them.
  for (const line of planLines(plan, view)) context.streams.stdout.write(`${context.redactor.redact(line)}\n`);
}

export function planJson(plan: Plan): object {
  const machines = plan.machines.map(({ name, action, reason, changes, needs, isProtected }) => ({
    name,
    action,
    reason,
    changes,
    needs: needs ?? null,
    protected: isProtected,
  }));
  return { fleet: plan.fleet, machines, summary: summaryOf(plan) };
}
