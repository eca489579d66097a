/** A plan on standard output: for people, on a terminal in colour and as wide as that is, or as JSON. */
import type { DriftReport } from "../../fleet/drift/drift.ts";
import { summaryOf, type Plan } from "../../fleet/plan/plan.ts";
import type { CliContext } from "../cli-context.ts";
import { planLines, type PlanStyle } from "./plan-text.ts";

export function printPlan(plan: Plan, context: CliContext): void {
  if (context.globals.output === "json") context.printJson(planJson(plan));
  else printPlanText(plan, context);
}

/** @param granted machines whose removal or replacement was asked for */
export function printPlanText(plan: Plan, context: CliContext, granted?: ReadonlySet<string>): void {
  printLines((style) => planLines(plan, style, granted), context);
}

/** In colour and as wide as a terminal is; plain where there is none. */
export function printLines(linesFor: (style: PlanStyle) => readonly string[], context: CliContext): void {
  const view = context.liveLines();
  if (view === undefined) {
    for (const line of linesFor({ columns: Number.POSITIVE_INFINITY, hasColour: false })) context.print(line);
    return;
  }
  // Its colours are ours: a line of result would lose them.
  for (const line of linesFor(view)) context.streams.stdout.write(`${context.redactor.redact(line)}\n`);
}

function planJson(plan: Plan): object {
  const machines = plan.machines.map(({ name, action, reason, changes, needs, isProtected, drift }) => ({
    name,
    action,
    reason,
    changes,
    needs: needs ?? null,
    protected: isProtected,
    drift: drift === undefined ? null : driftJson(drift),
  }));
  return { fleet: plan.fleet, machines, summary: summaryOf(plan) };
}

export function driftJson({ state, reason, differences }: DriftReport): object {
  return { state, reason, differences: differences.map((each) => ({ ...each, repair: each.repair ?? null })) };
}
