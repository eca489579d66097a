/** Other sizes for a machine that is switched off. */
import { requireSizesHere, requireStopped, type SizeChange } from "../../driver-kit/sizes.ts";
import { mostCpus, virtualBoxOptions } from "./options.ts";
import { stateOf } from "./vm-info.ts";
import { requireVm, type Workplace } from "./workplace.ts";

export const sizeFlags = { cpus: "virtualbox-cpu-count", memoryMiB: "virtualbox-memory" } as const;

/** Takes the sizes into the configuration. Throws `driver-options`, `machine-state` where it is not switched off, and what VBoxManage says. */
export async function resizeVm(
  place: Workplace,
  change: SizeChange,
  signal: AbortSignal,
): Promise<{ readonly fromNextStart: false }> {
  const { config, context, tool } = place;
  const { cpus, memoryMiB } = change;
  requireSizesHere(change, sizeFlags, context.computer, mostCpus);
  if (memoryMiB !== undefined) virtualBoxOptions.require("Memory", memoryMiB);
  const info = await requireVm(place, signal);
  requireStopped(context.machineName, stateOf(info));
  const words = [
    ...(cpus === undefined ? [] : ["--cpus", String(cpus)]),
    ...(memoryMiB === undefined ? [] : ["--memory", String(memoryMiB)]),
  ];
  await tool.run(["modifyvm", info.uuid, ...words], signal);
  config.CPU = cpus ?? config.CPU;
  config.Memory = memoryMiB ?? config.Memory;
  return { fromNextStart: false };
}
