/** Other sizes for a machine that is switched off: two lines of its description. */
import { requireSizesHere, requireStopped, type SizeChange } from "../../driver-kit/sizes.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { factsOf } from "../../system/disk-files.ts";
import { readRegularFileIfExists, writeFileAtomic } from "../../system/files.ts";
import { fusionOptions, mostCpus } from "./options.ts";
import { stateSeen } from "./state.ts";
import { withValues } from "./vmx.ts";
import { fileOf, gone, requireOwn, type Workplace } from "./workplace.ts";

export const sizeFlags = { cpus: "vmwarefusion-cpu-count", memoryMiB: "vmwarefusion-memory-size" } as const;

/** Processors of one socket: VMware starts no machine whose processors do not fill whole sockets. */
const coresKey = "cpuid.coresPerSocket";

/** Takes the sizes into the configuration. Throws `driver-options`, `machine-state` where it is not switched off, `provider-busy` where a window has it open. */
export async function resizeMachine(
  place: Workplace,
  change: SizeChange,
  signal: AbortSignal,
): Promise<{ readonly fromNextStart: false }> {
  const { config, context } = place;
  const { cpus, memoryMiB } = change;
  requireSizesHere(change, sizeFlags, context.computer, mostCpus);
  if (memoryMiB !== undefined) fusionOptions.require("Memory", memoryMiB);
  const sight = await requireOwn(place, signal);
  const { state } = await stateSeen(place, sight);
  requireStopped(context.machineName, state);
  await requireClosed(place);
  await rewrite(place, {
    ...(memoryMiB === undefined ? {} : { memsize: String(memoryMiB) }),
    ...(cpus === undefined ? {} : { numvcpus: String(cpus) }),
    ...(cpus === undefined || fills(sight.description?.get(coresKey.toLowerCase()), cpus) ? {} : { [coresKey]: "1" }),
  });
  config.CPU = cpus ?? config.CPU;
  config.Memory = memoryMiB ?? config.Memory;
  return { fromNextStart: false };
}

function fills(coresPerSocket: string | undefined, cpus: number): boolean {
  return coresPerSocket === undefined || cpus % Number(coresPerSocket) === 0;
}

async function rewrite(place: Workplace, changes: Readonly<Record<string, string>>): Promise<void> {
  const file = fileOf(place, "vmx");
  const bytes = await readRegularFileIfExists(file);
  if (bytes === undefined) throw gone(place);
  // Of whatever encoding it is: what is changed and looked for is ASCII, which all of them share.
  await writeFileAtomic(file, Buffer.from(withValues(bytes.toString("latin1"), changes), "latin1"), 0o600);
}

/** A window writes what it knows over the file when it is closed. */
async function requireClosed(place: Workplace): Promise<void> {
  if ((await factsOf(`${fileOf(place, "vmx")}.lck`)) === undefined) return;
  throw new MachineError("provider-busy", `"${place.context.machineName}" is open in a window of VMware's`, {
    hint: "Close its window; then run the command again.",
  });
}
