/** Drift as people read it. Pure. */
import { summaryOf, type Plan } from "../../fleet/plan/plan.ts";
import { planLines, type PlanStyle } from "./plan-text.ts";

/** As in a plan, with a last line of its own. */
export function driftLines(found: Plan, style: PlanStyle): string[] {
  return [...planLines(found, style).slice(0, -1), summaryLine(found)];
}

function summaryLine(found: Plan): string {
  const { drifted, unknown } = summaryOf(found);
  const all = found.machines.length;
  const machines = `${all} ${all === 1 ? "machine" : "machines"}`;
  if (all === 0) return `Nothing to look at: no machine of the fleet ${found.fleet} is there yet.`;
  if (drifted + unknown === 0)
    return `No drift: ${machines} of the fleet ${found.fleet} ${all === 1 ? "is" : "are"} as recorded.`;
  const parts = [
    ...(drifted === 0
      ? []
      : [`${drifted} of ${machines} ${drifted === 1 ? "differs from its record" : "differ from their records"}`]),
    ...(unknown === 0 ? [] : [`${unknown} could not be looked at`]),
  ];
  return `${parts.join(", ")}.`;
}
