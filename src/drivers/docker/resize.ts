/** Other bounds for a machine's container, while it runs. */
import type { SizeChange } from "../../driver-kit/sizes.ts";
import type { Workplace } from "./workplace.ts";
import { dockerOptions } from "./options.ts";
import { inspectContainer } from "./running.ts";

const updateTimeoutMs = 10_000;

/** Takes the sizes into the configuration and tells the engine. Throws `driver-options`, `provider-error`. */
export async function resizeContainer(place: Workplace, { cpus, memoryMiB }: SizeChange, signal: AbortSignal): Promise<void> {
  const { api, config } = place;
  if (memoryMiB !== undefined) dockerOptions.require("Memory", memoryMiB);
  if (cpus !== undefined) dockerOptions.require("CPUs", String(cpus));
  await inspectContainer(place, signal);
  const bytes = memoryMiB === undefined ? undefined : memoryMiB * 1024 * 1024;
  const body = {
    // A bound on memory may not exceed the one on memory and swap, which the engine takes as twice as much.
    ...(bytes === undefined ? {} : { Memory: bytes, MemorySwap: 2 * bytes }),
    ...(cpus === undefined ? {} : { NanoCpus: Math.round(cpus * 1e9) }),
  };
  await api.send("POST", `/containers/${config.ContainerId}/update`, { body, signal, timeoutMs: updateTimeoutMs });
  if (memoryMiB !== undefined) config.Memory = memoryMiB;
  if (cpus !== undefined) config.CPUs = String(cpus);
}
