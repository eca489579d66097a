/** A plan on standard output: for people, on a terminal in colour and as wide as that is, or as JSON. */
import { summaryOf, type Plan } from "../../fleet/plan/plan.ts";
import type { CliContext } from "../cli-context.ts";
import { planLines } from "./plan-text.ts";

export function printPlan(plan: Plan, context: CliContext): void {
  if (context.globals.output === "json") context.printJson(planJson(plan));
  else printPlanText(plan, context);
}

/** @param granted machines whose removal or replacement was asked for */
export function printPlanText(plan: Plan, context: CliContext, granted?: ReadonlySet<string>): void {
  const view = context.liveLines();
  if (view === undefined) {
    for (const line of planLines(plan, { columns: Number.POSITIVE_INFINITY, hasColour: false }, granted)) context.print(line);
    return;
  }
  // Its colours are ours: a line of result would lose them.
  for (const line of planLines(plan, view, granted)) context.streams.stdout.write(`${context.redactor.redact(line)}\n`);
}

function planJson(plan: Plan): object {
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
