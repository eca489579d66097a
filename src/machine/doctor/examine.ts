/** Runs checks on a subject in the order of the table, skipping what hangs on one that is not well. */
import { isMachineError, MachineError, messageOf } from "../../errors/machine-error.ts";
import type { AnyCheck, Complaint, Examined, Layer, Repair } from "./check.ts";
import type { Subject } from "./subject.ts";

export interface Finding {
  /** Undefined for this computer. */
  readonly machine: string | undefined;
  readonly check: string;
  readonly title: string;
  readonly layer: Layer;
  readonly state: "ok" | "warn" | "fail" | "skipped";
  readonly evidence: string;
  readonly cause: string;
  /** What helps: a command or a sentence; "" where nothing is to be done. */
  readonly fix: string;
  readonly repair: Repair | undefined;
}

/** Everything that was looked at, in the order of the table. */
export async function examine(subject: Subject, checks: readonly AnyCheck[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  const unwell = new Set<string>();
  for (const each of checks) {
    if (each.needs.some((id) => unwell.has(id))) {
      unwell.add(each.id);
      findings.push(finding(subject, each, "skipped"));
      continue;
    }
    const examined = await attempt(each, subject);
    if (examined === undefined) continue;
    const { complaint, repair } = examined;
    if (complaint?.state === "fail") unwell.add(each.id);
    findings.push(finding(subject, each, complaint?.state ?? "ok", complaint, repair));
  }
  return findings;
}

/** A check that cannot look says so: nothing that depends on it is known either. */
async function attempt(each: AnyCheck, subject: Subject): Promise<Examined | undefined> {
  try {
    return await each.examine(subject);
  } catch (error) {
    if (!isMachineError(error) || isMachineError(error, "interrupted")) throw error;
    const complaint = { state: "fail", evidence: messageOf(error), cause: "this could not be looked at", kind: "" } as const;
    return { complaint, repair: undefined };
  }
}

function finding(subject: Subject, each: AnyCheck, state: Finding["state"], complaint?: Complaint, repair?: Repair): Finding {
  return {
    machine: subject.name,
    check: each.id,
    title: each.title,
    layer: each.layer,
    state,
    evidence: complaint?.evidence ?? "",
    cause: complaint?.cause ?? "",
    fix: complaint === undefined ? "" : each.advice(complaint, subject),
    repair,
  };
}

/** Findings alone: what is well or was not looked at is none. */
export function isFinding({ state }: Pick<Finding, "state">): boolean {
  return state === "warn" || state === "fail";
}

/** For whoever asks for a machine that could not even be opened. */
export function asMachineError(error: unknown): MachineError {
  return isMachineError(error) ? error : new MachineError("driver-failed", messageOf(error), { cause: error });
}
