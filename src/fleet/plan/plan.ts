/** What bringing machines to what a fleet's file says would do: as data, for whoever shows it, saves it or does it. */
import { MachineError } from "../../errors/machine-error.ts";
import { didYouMean } from "../../errors/nearest.ts";
import type { DriftReport } from "../drift/drift.ts";
import type { MachineSpec } from "../file/fleet-file.ts";

/**
 * `continue`: a command on it was cut off. `mark`: it is as the file says and nobody's yet. `replace`: it can become what
 * the file says only anew. `remove`: it is the fleet's, and in the file no more. `refuse`: it is not the fleet's to change.
 */
export type Action = "none" | "create" | "continue" | "change" | "mark" | "replace" | "remove" | "refuse";

/** What a change takes. */
export type Effect =
  /** The record alone. */
  | "record"
  /** Host and provider are told when the machine ends; counted from then on. */
  | "lifetime"
  /** Nothing now; the next upgrade of the engine takes it up. */
  | "next-upgrade"
  /** The engine is configured anew, and restarted. */
  | "engine-restart"
  /** The engine becomes another version. */
  | "engine-upgrade"
  /** It joins, leaves, or has another role in a cluster of swarm mode. */
  | "swarm"
  /** The machine's size; it may count only from the next start on. */
  | "resize"
  /** A machine is made anew in its place. */
  | "replacement";

export interface PlannedChange {
  /** A key of the file: a create flag, `labels.KEY`, `protect`, `driver`, `swarm`. */
  readonly key: string;
  /** As text; null where there is none. */
  readonly from: string | null;
  readonly to: string | null;
  readonly effect: Effect;
}

export interface PlannedMachine {
  readonly name: string;
  readonly action: Action;
  /** Why, as a clause; "" where the changes say it. */
  readonly reason: string;
  readonly changes: readonly PlannedChange[];
  /** What has to be asked for by name, for all of it to be done. */
  readonly needs: "prune" | "replace" | undefined;
  readonly isProtected: boolean;
  /** Undefined of a machine that the file has no more. */
  readonly spec: MachineSpec | undefined;
  /** Whether a machine of that name exists. */
  readonly exists: boolean;
  /** Of one that is refused, what whoever asks for it by name is told. */
  readonly refusal?: MachineError | undefined;
  /** What is otherwise on the machine itself; undefined where that was not looked at. */
  readonly drift?: DriftReport | undefined;
}

export interface Plan {
  readonly fleet: string;
  readonly machines: readonly PlannedMachine[];
  /** What is allowed and hardly meant; one sentence each, and the machine that it is about. */
  readonly warnings: readonly { readonly name: string; readonly text: string }[];
}

/**
 * What of a plan is about these machines; all of it where none is named. Throws `machine-not-found` for names that the plan does
 * not have, and what speaks against a machine that is not the fleet's to change, such as `fleet-foreign`.
 */
export function narrowed(plan: Plan, names: readonly string[]): Plan {
  if (names.length === 0) return plan;
  for (const name of names) requireOwn(plan, name);
  const wanted = new Set(names);
  const isWanted = ({ name }: { readonly name: string }): boolean => wanted.has(name);
  return { ...plan, machines: plan.machines.filter(isWanted), warnings: plan.warnings.filter(isWanted) };
}

/** Throws as {@link narrowed}. */
export function requireOwn({ fleet, machines }: Plan, name: string): PlannedMachine {
  const machine = machines.find((each) => each.name === name);
  if (machine?.refusal !== undefined) throw machine.refusal;
  if (machine !== undefined) return machine;
  const known = machines.map((each) => each.name);
  throw new MachineError("machine-not-found", `The fleet ${fleet} has no machine "${name}"`, { hint: didYouMean(name, known) });
}

/** Whether anything is to be done or decided. */
export function isChange({ action, drift }: Pick<PlannedMachine, "action" | "drift">): boolean {
  return action !== "none" || drift?.state === "drifted";
}

/** The machines that stand and are the fleet's: those on which a look finds something to compare. */
export function standing({ machines }: Plan): readonly PlannedMachine[] {
  return machines.filter(({ action, exists }) => exists && action !== "refuse" && action !== "continue" && action !== "mark");
}

export function withDrift(plan: Plan, reports: readonly DriftReport[]): Plan {
  const byName = new Map(reports.map((report) => [report.name, report]));
  return { ...plan, machines: plan.machines.map((machine) => ({ ...machine, drift: byName.get(machine.name) })) };
}

/** What is done in any case, as against what needs a word of the user. */
export function isDoneUnasked({ action, changes }: PlannedMachine): boolean {
  if (action === "change") return changes.some(({ effect }) => effect !== "replacement");
  return action === "create" || action === "continue" || action === "mark";
}

export type Summary = Readonly<Record<Action, number>> & {
  /** How many are otherwise than their records, and how many could not be looked at. */
  readonly drifted: number;
  readonly unknown: number;
  /** How many need a word of the user: what is refused, and what is only removed or replaced when asked. */
  readonly decisions: number;
};

export function summaryOf({ machines }: Plan): Summary {
  const count = (action: Action): number => machines.filter((machine) => machine.action === action).length;
  return {
    none: count("none"),
    create: count("create"),
    continue: count("continue"),
    change: count("change"),
    mark: count("mark"),
    replace: count("replace"),
    remove: count("remove"),
    refuse: count("refuse"),
    drifted: machines.filter(({ drift }) => drift?.state === "drifted").length,
    unknown: machines.filter(({ drift }) => drift?.state === "unknown").length,
    decisions: machines.filter(({ action, needs }) => action === "refuse" || needs !== undefined).length,
  };
}
