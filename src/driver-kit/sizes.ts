/** What holds for new sizes of any virtual machine, before its hypervisor is asked. Sizes are named by their create flags. */
import { MachineError } from "../errors/machine-error.ts";
import type { Computer } from "../system/computer.ts";
import type { MachineState } from "./state.ts";

/** New sizes of a machine that exists; undefined = as it is. */
export interface SizeChange {
  readonly cpus?: number | undefined;
  readonly memoryMiB?: number | undefined;
}

/** The create flags by which the sizes were given, without dashes. */
export interface SizeFlags {
  readonly cpus: string;
  readonly memoryMiB: string;
}

/** Throws `driver-options`: no hypervisor gives a part of a processor. */
export function requireWholeCpus(cpus: number): void {
  if (Number.isInteger(cpus) && cpus >= 1) return;
  throw new MachineError("driver-options", `${cpus} is no number of CPUs: a virtual machine has whole ones`, {
    hint: "Give a whole number, such as --cpus 2.",
  });
}

/** Throws `driver-options` for more memory than there is at all, which no other machine sets free by stopping. */
export function requireMemoryHere(flag: string, memoryMiB: number, computer: Pick<Computer, "memoryMiB">): void {
  if (computer.memoryMiB === undefined || memoryMiB <= computer.memoryMiB) return;
  throw new MachineError("driver-options", `--${flag} ${memoryMiB} is more than this computer has: ${computer.memoryMiB} MB`, {
    hint: "Give less, and leave some to the computer itself.",
  });
}

/**
 * Throws `driver-options` for what a hypervisor of this computer cannot give: parts of CPUs, and more than there is.
 * @param mostCpus what it gives to one machine
 */
export function requireSizesHere({ cpus, memoryMiB }: SizeChange, flags: SizeFlags, computer: Computer, mostCpus: number): void {
  if (memoryMiB !== undefined) requireMemoryHere(flags.memoryMiB, memoryMiB, computer);
  if (cpus === undefined) return;
  requireWholeCpus(cpus);
  if (cpus > mostCpus) throw new MachineError("driver-options", `--${flags.cpus} ${cpus} is too large: ${mostCpus} is the most`);
  if (computer.cpus === undefined || cpus <= computer.cpus) return;
  throw new MachineError("driver-options", `--${flags.cpus} ${cpus} is more than this computer has: ${computer.cpus}`, {
    hint: "Give less; the processors of a machine run on those of the computer.",
  });
}

/** Throws `machine-state` for a machine that runs or keeps its memory: its sizes are what they are then. */
export function requireStopped(machineName: string, state: MachineState): void {
  if (state === "Stopped") return;
  throw new MachineError(
    "machine-state",
    `"${machineName}" is ${state === "" ? "in no known state" : state}: its size can be changed while it is stopped`,
    { hint: `Stop it first, and start it afterwards: docker-machine stop ${machineName}` },
  );
}
