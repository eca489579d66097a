/** `edit NAME…`: other sizes for machines that exist. */
import type { SizeChange } from "../../driver-kit/sizes.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { resizeMachine } from "../../machine/edit.ts";
import { readSizeText } from "../../system/size-text.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { workOnMachines } from "../named-machines.ts";

export async function run(invocation: Invocation, context: CliContext): Promise<void> {
  const { options } = invocation;
  const change = readChange(options.string("cpus"), options.string("memory"));
  await workOnMachines(
    context,
    invocation,
    async (machineContext, name) => await resizeMachine(machineContext, name, change, context.signal),
    ({ needsRestart }, name) =>
      needsRestart
        ? `"${name}" is ${sizeText(change)} from its next start on: ${context.program.base} restart ${name}`
        : `"${name}" is ${sizeText(change)} now.`,
  );
}

function readChange(cpusText: string, memoryText: string): SizeChange {
  if (cpusText === "" && memoryText === "") {
    throw new MachineError("usage", "Nothing is given that is to change", { hint: "Give --cpus, --memory or both." });
  }
  const cpus = cpusText === "" ? undefined : Number(cpusText);
  if (cpus !== undefined && !(/^\d+(?:\.\d+)?$/u.test(cpusText) && cpus > 0)) throw noSize("cpus", cpusText, "2 or 1.5");
  const memoryMiB = memoryText === "" ? undefined : readSizeText(memoryText);
  if (memoryText !== "" && memoryMiB === undefined) throw noSize("memory", memoryText, "8GB or 8192");
  return { cpus, memoryMiB };
}

function noSize(flag: string, text: string, like: string): MachineError {
  return new MachineError("usage", `--${flag} ${JSON.stringify(text)} is no size`, { hint: `Give it as ${like}.` });
}

function sizeText({ cpus, memoryMiB }: SizeChange): string {
  const parts = [
    ...(cpus === undefined ? [] : [`${cpus} ${cpus === 1 ? "CPU" : "CPUs"}`]),
    ...(memoryMiB === undefined ? [] : [`${memoryMiB} MB of memory`]),
  ];
  return `a machine with ${parts.join(" and ")}`;
}
