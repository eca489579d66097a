/** What of a plan is to be done, by what was asked for. Pure. */
import { MachineError } from "../../errors/machine-error.ts";
import type { Repair } from "../drift/drift.ts";
import { isDoneUnasked, requireOwn, type Plan, type PlannedMachine } from "../plan/plan.ts";

export interface ApplyWishes {
  /** Machines to be made anew, by name. */
  readonly replace: readonly string[];
  /** Remove what is the fleet's and in its file no more. */
  readonly prune: boolean;
}

export interface Work {
  readonly machine: PlannedMachine;
  readonly kind: "create" | "continue" | "change" | "mark" | "repair" | "replace" | "remove";
}

/**
 * In the order of the plan. What is protected is never removed, and replaced least of all. Throws `machine-not-found` for names
 * that the plan does not have, `fleet-foreign` and `machine-protected` for those that may not be replaced.
 */
export function workOf(plan: Plan, wishes: ApplyWishes): Work[] {
  for (const name of wishes.replace) requireReplaceable(requireOwn(plan, name));
  return plan.machines.flatMap((machine): Work[] => {
    const kind = kindOf(machine, wishes);
    return kind === undefined ? [] : [{ machine, kind }];
  });
}

function kindOf(machine: PlannedMachine, { replace, prune }: ApplyWishes): Work["kind"] | undefined {
  const { action, isProtected, name } = machine;
  if (replace.includes(name)) return "replace";
  if (action === "remove") return prune && !isProtected ? "remove" : undefined;
  if (action === "create" || action === "continue" || action === "mark") return action;
  if (action === "change" && isDoneUnasked(machine)) return "change";
  return repairsOf(machine).size > 0 ? "repair" : undefined;
}

/** What puts right what was found on the machine itself. */
export function repairsOf({ drift }: PlannedMachine): ReadonlySet<Repair> {
  return new Set(drift?.differences.flatMap(({ repair }) => repair ?? []));
}

function requireReplaceable({ name, spec, exists, isProtected }: PlannedMachine): void {
  if (isProtected) {
    throw new MachineError("machine-protected", `"${name}" is protected, so that it is not replaced`, {
      hint: `To allow it: docker-machine unprotect ${name}`,
    });
  }
  if (spec === undefined || !exists) {
    const why = exists ? "the file does not have it" : "it is not there yet";
    throw new MachineError("usage", `"${name}" cannot be replaced: ${why}`);
  }
}
