/** Starting and stopping. Hyper-V's cmdlets return once it is done. */
import { isMachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { requireOwn, type VirtualMachine, type Workplace } from "./workplace.ts";

/** How long a guest may take to shut down; containers get ten seconds each from the engine. */
export const shutdownMs = 120_000;

const take = "$vm=Hyper-V\\Get-VM -Id $a.id";
const start = "Hyper-V\\Start-VM -VM $vm";
const resume = "Hyper-V\\Resume-VM -VM $vm";
const shutDown = "Hyper-V\\Stop-VM -VM $vm";
const switchOff = "Hyper-V\\Stop-VM -VM $vm -TurnOff -Force";

/** Also one whose memory was saved. Succeeds where it runs. */
export async function startMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  const vm = await requireOwn(place, signal);
  if (isRunning(vm) || vm.state === "Starting") return;
  await act(place, vm, [isPaused(vm) ? resume : start], signal);
}

/**
 * Has the guest shut down, by the integration service that Linux brings along. One that does not is switched off, and that
 * is said.
 */
export async function stopMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  const vm = await requireOwn(place, signal);
  if (isOff(vm)) return;
  if (isPaused(vm)) await act(place, vm, [resume], signal);
  // What is saved has neither stopped nor written its disk.
  if (isSaved(vm)) await act(place, vm, [start], signal);
  try {
    await act(place, vm, [shutDown], signal, shutdownMs);
  } catch (error) {
    signal.throwIfAborted();
    if (!isMachineError(error) || isMachineError(error, "provider-permission")) throw error;
    logTo(
      place.context.report,
      "warn",
      `"${place.context.machineName}" did not shut down (${messageOf(error)}) and is switched off.`,
    );
    await switchOffMachine(place, vm, signal);
  }
}

export async function restartMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  await stopMachine(place, signal);
  await startMachine(place, signal);
}

export async function killMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  const vm = await requireOwn(place, signal);
  if (isOff(vm)) return;
  await act(place, vm, isSaved(vm) ? [start, switchOff] : [switchOff], signal);
}

/** Ends one that is not off, nor saved. */
export async function switchOffMachine(place: Workplace, vm: VirtualMachine, signal: AbortSignal): Promise<void> {
  if (!isOff(vm) && !isSaved(vm)) await act(place, vm, [switchOff], signal);
}

async function act(
  { api }: Workplace,
  { id }: VirtualMachine,
  statements: readonly string[],
  signal: AbortSignal,
  timeoutMs?: number,
): Promise<void> {
  await api.run({ statements: [take, ...statements], answers: [], data: { id } }, signal, timeoutMs);
}

const isRunning = ({ state }: VirtualMachine): boolean => state === "Running";
const isPaused = ({ state }: VirtualMachine): boolean => /^Paus/u.test(state);
const isOff = ({ state }: VirtualMachine): boolean => /^Off/u.test(state);
const isSaved = ({ state }: VirtualMachine): boolean => /^(?:Fast)?Sav/u.test(state);
