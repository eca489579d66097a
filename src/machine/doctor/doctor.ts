/** `doctor`: looks at this computer and at machines, side by side, and mends what may be mended without asking. */
import { isMachineError, MachineError, messageOf } from "../../errors/machine-error.ts";
import type { MachineContext } from "../machine-context.ts";
import { forEachMachine } from "../many.ts";
import { checks } from "./checks/table.ts";
import { examine, isFinding, type Finding } from "./examine.ts";
import { MachineSubject, thisComputerAs, Visit, type DoctorOptions } from "./live-subject.ts";

const atOnce = 16;

export interface DoctorRequest extends DoctorOptions {
  readonly names: readonly string[];
  /** Look at this computer too. */
  readonly computer: boolean;
  /** Mend what can be. Called with each repair before it is done, and told how it ended. */
  readonly fix?: FixReport | undefined;
}

export interface FixReport {
  begun(machine: string | undefined, what: string): void;
  failed(machine: string | undefined, why: string): void;
}

/** All that was looked at: of this computer first, then of the machines in their order. With `fix`, as it is afterwards. */
export async function runDoctor(context: MachineContext, request: DoctorRequest, signal: AbortSignal): Promise<Finding[]> {
  const visit = new Visit(context, request, signal);
  const own = request.computer ? await lookAtComputer(visit, request.fix) : [];
  const outcomes = await forEachMachine(request.names, atOnce, async (name) => await lookAtMachine(visit, name, request.fix));
  signal.throwIfAborted();
  return [...own, ...outcomes.flatMap(({ name, value, error }) => value ?? [unlooked(name, error)])];
}

async function lookAtComputer(visit: Visit, fix: FixReport | undefined): Promise<Finding[]> {
  const own = checks.filter(({ of }) => of === "computer");
  const findings = await examine(thisComputerAs(visit), own);
  if (!(await mended(findings, fix, visit.signal))) return findings;
  return await examine(thisComputerAs(new Visit(visit.context, visit.options, visit.signal)), own);
}

async function lookAtMachine(visit: Visit, name: string, fix: FixReport | undefined): Promise<Finding[]> {
  const own = checks.filter(({ of }) => of === "machine");
  const look = async (): Promise<Finding[]> => {
    await using subject = await MachineSubject.open(visit, name);
    const findings = await examine(subject, own);
    return (await mended(findings, fix, visit.signal)) ? [] : findings;
  };
  const findings = await look();
  if (findings.length > 0) return findings;
  await using again = await MachineSubject.open(visit, name);
  return await examine(again, own);
}

/** Whether something was done. */
async function mended(findings: readonly Finding[], fix: FixReport | undefined, signal: AbortSignal): Promise<boolean> {
  if (fix === undefined) return false;
  let isChanged = false;
  for (const { repair, machine } of findings.filter(isFinding)) {
    if (repair === undefined) continue;
    fix.begun(machine, repair.what);
    try {
      await repair.run(signal);
      isChanged = true;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Error)) throw error;
      fix.failed(machine, messageOf(error));
    }
  }
  return isChanged;
}

/** A machine that could not be looked at at all is no healthy one. */
function unlooked(name: string, error: unknown): Finding {
  if (!isMachineError(error)) throw error;
  return {
    machine: name,
    check: "record",
    title: "the machine can be looked at",
    layer: "record",
    state: "fail",
    evidence: new MachineError(error.code, error.message).message,
    cause: "nothing more is known",
    fix: error.hint ?? "",
    repair: undefined,
  };
}
