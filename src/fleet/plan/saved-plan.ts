/** A plan in a file, to be applied later as it was read: refused where anything has moved on since. */
import { createHash } from "node:crypto";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import type { Store } from "../../store/store.ts";
import type { Plan, PlannedMachine } from "./plan.ts";

const format = 1;

export interface SavedPlan {
  readonly format: number;
  readonly fleet: string;
  /** As it was given, relative to where the plan was made. */
  readonly file: string;
  readonly fileDigest: string;
  /** Whether the machines were looked at, and what was passed over then. */
  readonly drift: boolean;
  readonly ignored: readonly string[];
  /** The machines that it is about; all where none is named. */
  readonly only: readonly string[];
  /** By name: what is to be done, and the record that was seen. */
  readonly machines: Readonly<Record<string, { readonly planned: string; readonly record: string }>>;
}

/** What a plan was made of, besides records. */
export interface PlanBasis {
  readonly path: string;
  readonly digest: string;
  readonly drift: boolean;
  readonly ignored: readonly string[];
  readonly only: readonly string[];
}

export async function savedPlan(plan: Plan, file: PlanBasis, store: Store): Promise<SavedPlan> {
  const entries = plan.machines.map(
    async (machine) =>
      [machine.name, { planned: digestOf(essence(machine)), record: await recordDigest(store, machine.name) }] as const,
  );
  const machines = Object.fromEntries(await Promise.all(entries));
  const { path, digest, drift, ignored, only } = file;
  return { format, fleet: plan.fleet, file: path, fileDigest: digest, drift, ignored, only, machines };
}

/** Throws `plan-stale` for what is no saved plan, or one of another version of this program. */
export function parseSavedPlan(text: string, file: string): SavedPlan {
  let value: Partial<SavedPlan> | null;
  try {
    value = JSON.parse(text) as Partial<SavedPlan> | null;
  } catch {
    value = null;
  }
  if (isSavedPlan(value)) return { ...value, only: value.only ?? [] };
  throw new MachineError("plan-stale", `${file} is no plan that this program saved`, {
    hint: "Make one with: docker-machine plan --save FILE",
  });
}

/** An earlier program saved plans of whole fleets alone. */
function isSavedPlan(value: Partial<SavedPlan> | null): value is Omit<SavedPlan, "only"> & Partial<SavedPlan> {
  const isTexts = (texts: unknown): boolean => Array.isArray(texts) && texts.every((text) => typeof text === "string");
  return (
    value?.format === format &&
    [value.fleet, value.file, value.fileDigest].every((text) => typeof text === "string") &&
    typeof value.drift === "boolean" &&
    isTexts(value.ignored) &&
    (value.only === undefined || isTexts(value.only)) &&
    typeof value.machines === "object" &&
    (value.machines as object | null) !== null
  );
}

/** Throws `plan-stale` naming what has changed. */
export async function requireFresh(saved: SavedPlan, plan: Plan, fileDigest: string, store: Store): Promise<void> {
  if (saved.fileDigest !== fileDigest) throw stale(`${saved.file} has changed since the plan was saved`);
  const present = (await savedPlan(plan, { ...saved, path: saved.file, digest: fileDigest }, store)).machines;
  const names = [...new Set([...Object.keys(saved.machines), ...Object.keys(present)])];
  const changed = names.filter((name) => JSON.stringify(saved.machines[name]) !== JSON.stringify(present[name]));
  if (changed.length > 0) throw stale(`Machines have changed since the plan was saved: ${changed.toSorted().join(", ")}`);
}

export function stale(message: string): MachineError {
  return new MachineError("plan-stale", message, { hint: "See what is to be done now with: docker-machine plan" });
}

function essence({ action, reason, changes, needs, isProtected, drift }: PlannedMachine): object {
  return { action, reason, changes, needs, isProtected, drift: drift?.differences ?? [] };
}

async function recordDigest(store: Store, name: string): Promise<string> {
  try {
    return digestOf(await store.loadText(name));
  } catch (error) {
    if (isMachineError(error)) return error.code;
    throw error;
  }
}

function digestOf(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
