/** `edit`: gives a machine that exists other sizes. */
import type { SizeChange } from "../driver-kit/sizes.ts";
import { MachineError } from "../errors/machine-error.ts";
import { within } from "../system/waiting.ts";
import { noteInMark } from "./fleet-mark.ts";
import { openHost } from "./host/open-host.ts";
import { stateOf } from "./host/wait-for-state.ts";
import { requireCreated } from "./interruption/interrupted.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import type { MachineContext } from "./machine-context.ts";

/** What came of it. */
export interface Edited {
  /** It runs as it is until it is started the next time. */
  readonly needsRestart: boolean;
}

/** Throws `driver-unsupported` where the driver cannot, `driver-options` for a size that will not do; the machine is as before then. */
export async function resizeMachine(
  context: MachineContext,
  name: string,
  change: SizeChange,
  signal: AbortSignal,
): Promise<Edited> {
  await using lock = await lockMachine(context, name, "edit", signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  const { driver } = host;
  const resize = driver.resize?.bind(driver);
  if (resize === undefined) throw cannotResize(name, driver.driverName);
  const patience = { ms: context.timeouts.driverMs, clock: context.clock, signal: lock.signal };
  const otherwise = `The driver of "${name}" did not change its size`;
  const { fromNextStart } = await within(patience, async (bound) => await resize(change, bound), otherwise);
  const { sizeFlags } = host.module;
  if (sizeFlags !== undefined && change.cpus !== undefined) noteInMark(host.record.extra, sizeFlags.cpus, change.cpus);
  if (sizeFlags !== undefined && change.memoryMiB !== undefined)
    noteInMark(host.record.extra, sizeFlags.memoryMiB, change.memoryMiB);
  await host.save();
  return { needsRestart: fromNextStart && (await stateOf(context, host, lock.signal)) !== "Stopped" };
}

function cannotResize(name: string, driverName: string): MachineError {
  return new MachineError("driver-unsupported", `The driver ${driverName} cannot change the size of a machine`, {
    hint: `Change it where "${name}" lives, or create another machine and move over.`,
  });
}
