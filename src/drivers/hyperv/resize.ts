/** Other sizes for a machine that is switched off. */
import { requireSizesHere, requireStopped, type SizeChange } from "../../driver-kit/sizes.ts";
import { leastMemoryMiB } from "./creation-script.ts";
import { hypervOptions, mostCpus, type HypervConfig } from "./options.ts";
import type { ScriptData } from "./script.ts";
import { machineState } from "./state.ts";
import { requireOwn, type Workplace } from "./workplace.ts";

export const sizeFlags = { cpus: "hyperv-cpu-count", memoryMiB: "hyperv-memory" } as const;

const mib = 1024 * 1024;

/**
 * Takes the sizes into the configuration; the most that dynamic memory gives is raised to the new size where it was less.
 * Throws `driver-options`, `machine-state` where it is not switched off, and what PowerShell says.
 */
export async function resizeMachine(
  place: Workplace,
  change: SizeChange,
  signal: AbortSignal,
): Promise<{ readonly fromNextStart: false }> {
  const { api, config, context } = place;
  const { cpus, memoryMiB } = change;
  requireSizesHere(change, sizeFlags, context.computer, mostCpus);
  if (memoryMiB !== undefined) hypervOptions.require("MemSize", memoryMiB);
  const { id, state } = await requireOwn(place, signal);
  requireStopped(context.machineName, machineState(state));
  const changes = [
    ...(cpus === undefined ? [] : [processors(cpus)]),
    ...(memoryMiB === undefined ? [] : [memory(config, memoryMiB)]),
  ];
  const statements = ["$vm=Hyper-V\\Get-VM -Id $a.id", ...changes.map(({ statement }) => statement)];
  const data = Object.assign({ id }, ...changes.map((each) => each.data)) as ScriptData;
  await api.run({ statements, answers: [], data }, signal);
  config.CPU = cpus ?? config.CPU;
  config.MemSize = memoryMiB ?? config.MemSize;
  if (config.MemoryMax > 0) config.MemoryMax = Math.max(config.MemoryMax, config.MemSize);
  return { fromNextStart: false };
}

interface Change {
  readonly statement: string;
  readonly data: ScriptData;
}

function processors(cpus: number): Change {
  return { statement: "Hyper-V\\Set-VMProcessor -VM $vm -Count $a.cpus", data: { cpus } };
}

/** All bounds in one call: each alone would be outside of the others for a moment. */
function memory({ DisableDynamicMemory, MemoryMax }: HypervConfig, memoryMiB: number): Change {
  const statement = "Hyper-V\\Set-VMMemory -VM $vm -StartupBytes $a.memory";
  const startup = { memory: memoryMiB * mib };
  if (DisableDynamicMemory) return { statement, data: startup };
  const bounds = { ...startup, least: Math.min(leastMemoryMiB, memoryMiB) * mib };
  if (MemoryMax === 0) return { statement: `${statement} -MinimumBytes $a.least`, data: bounds };
  return {
    statement: `${statement} -MinimumBytes $a.least -MaximumBytes $a.most`,
    data: { ...bounds, most: Math.max(MemoryMax, memoryMiB) * mib },
  };
}
