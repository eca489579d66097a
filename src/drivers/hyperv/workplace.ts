/** What the parts of the driver work on, and how a machine's virtual machine is told from all others. */
import * as path from "node:path";
import type { DriverPlace } from "../../driver-kit/defined-driver.ts";
import { createMark } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { rightsHint } from "./failures.ts";
import type { HypervConfig } from "./options.ts";
import { isTrue, textOf, type Answers, type Fields, type PowerShell } from "./powershell.ts";
import { fields, questions } from "./script.ts";

export type Workplace = DriverPlace<HypervConfig, PowerShell>;

/** Kinds of what is made, as the ledger and `findResources` name them. */
export const kinds = { instance: "instance" } as const;

/** The switch that Windows makes by itself: its name is another in each language. */
export const defaultSwitchId = "c08cb7b8-9b3c-408e-8e30-5e16a3aeb444";

/** Names in the machine's folder. `oldSource` and a `.vhd` as disk are 0.16.2's. */
export const machineFiles = {
  disk: "disk.vhdx",
  oldDisk: "disk.vhd",
  source: "disk-source.vhd",
  oldSource: "fixed.vhd",
  seed: "seed.iso",
} as const;

export interface VirtualMachine {
  /** GUID, lower case. */
  readonly id: string;
  readonly name: string;
  /** As .NET spells it: `Running`, `Off`, `OffCritical`, … */
  readonly state: string;
  readonly notes: string;
  /** Folder of its configuration. */
  readonly path: string;
}

export function virtualMachine(answer: unknown): VirtualMachine {
  const found = answer as Fields;
  return {
    id: textOf(found["Id"]).toLowerCase(),
    name: textOf(found["Name"]),
    state: textOf(found["State"]),
    notes: textOf(found["Notes"]),
    path: textOf(found["Path"]),
  };
}

/** Statements that list all virtual machines, and whether this user would be shown them. */
export const listing = {
  statements: [questions.administrator, questions.hypervAdministrator, `$vms=Hyper-V\\Get-VM${fields.vm}`],
  answers: ["administrator", "hypervAdministrator", "vms"],
} as const;

/**
 * All virtual machines of this computer. Throws `provider-permission` for a user who is shown none: that one is not in the
 * list must mean that it is gone.
 */
export function readListing(answers: Answers): readonly VirtualMachine[] {
  requireRights(answers);
  return (answers["vms"] ?? []).map(virtualMachine);
}

export function requireRights(answers: Answers): void {
  if (isTrue(answers, "administrator") || isTrue(answers, "hypervAdministrator")) return;
  throw new MachineError("provider-permission", "Hyper-v commands have to be run as an Administrator", { hint: rightsHint });
}

/** This machine's, of a list: more than one only after a `create` that was cut off and went on at Hyper-V. */
export async function findOwn(place: Workplace, signal: AbortSignal): Promise<readonly VirtualMachine[]> {
  const answers = await place.api.run({ ...listing, data: {} }, signal);
  return readListing(answers).filter((vm) => isOwn(vm, place));
}

/** The machine's virtual machine. Throws `provider-not-found` where it is gone. */
export async function requireOwn(place: Workplace, signal: AbortSignal): Promise<VirtualMachine> {
  const [found] = await findOwn(place, signal);
  if (found !== undefined) return found;
  throw gone(place);
}

export function gone({ context, config }: Pick<Workplace, "context" | "config">): MachineError {
  const id = config.VmId === "" ? "" : ` (${config.VmId})`;
  return new MachineError("provider-not-found", `The virtual machine${id} of "${context.machineName}" is gone from Hyper-V`, {
    hint: `Import it again in Hyper-V, registered in place, or remove the machine: docker-machine rm ${context.machineName}`,
  });
}

/**
 * A recorded id alone tells. Without one, which is so while `create` runs and for machines of 0.16.2, a virtual machine is
 * ours that bears our name and either our mark or, with nobody else's mark, lies in the machine's folder. Names are not
 * unique in Hyper-V, and a mark goes along with an export.
 */
export function isOwn(vm: VirtualMachine, { context, config }: Pick<Workplace, "context" | "config">): boolean {
  if (config.VmId !== "") return vm.id === config.VmId.toLowerCase();
  if (vm.name.toLowerCase() !== context.machineName.toLowerCase()) return false;
  const mark = markIn(vm.notes);
  if (mark !== undefined) return mark === createMark(context.createId)?.word;
  return isWithin(context.machineDir, vm.path);
}

/** What stands in the notes of a virtual machine of ours. */
export function notesOf(machineName: string, word: string): string {
  return `The machine "${machineName}" of docker-machine.\n${word}`;
}

function markIn(notes: string): string | undefined {
  return /(?:^|\s)(docker-machine:[a-z0-9_-]+)(?:\s|$)/u.exec(notes)?.[1];
}

/** Whether a path is that of a folder, or below it. Windows does not tell upper from lower case. */
export function isWithin(folder: string, file: string): boolean {
  const comparable = (text: string): string => text.replaceAll("\\", "/").replace(/\/+$/u, "").toLowerCase();
  const [outer, inner] = [comparable(folder), comparable(file)];
  return outer !== "" && (inner === outer || inner.startsWith(`${outer}/`));
}

export function fileOf({ context }: Pick<Workplace, "context">, name: keyof typeof machineFiles): string {
  return path.join(context.machineDir, machineFiles[name]);
}
