/** Starting and stopping. */
import { isMachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { runRootScript } from "../../ssh/root-script.ts";
import { poll } from "../../system/waiting.ts";
import { isSaved } from "./state.ts";
import { fileOf, lookUp, requireOwn, type Workplace } from "./workplace.ts";

/** How long a guest may take to shut down; containers get ten seconds each from the engine. */
const shutdownMs = 120_000;
const lookEveryMs = 1_000;
/** The product may ask something in a window that nobody sees. */
const startMs = 180_000;
const commandMs = 15_000;
/** Until a machine that was switched off is not listed any more. */
const endMs = 30_000;

/** Also one whose memory was saved. Succeeds where it runs. */
export async function startMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  const { isRunning } = await requireOwn(place, signal);
  if (!isRunning) await launch(place, signal);
}

export async function launch(place: Workplace, signal: AbortSignal): Promise<void> {
  await place.api.vmrun.run(["start", fileOf(place, "vmx"), "nogui"], signal, startMs);
}

/**
 * Has the guest shut down, by VMware's tools where they run in it, else over SSH. One that does not is switched off, and
 * that is said.
 */
export async function stopMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  const sight = await requireOwn(place, signal);
  if (!sight.isRunning) {
    if (!(await isSaved(place, sight))) return;
    // What is saved has neither stopped nor written its disk.
    await launch(place, signal);
  }
  try {
    await ((await hasTools(place, signal)) ? askTools(place, signal) : askGuest(place, signal));
  } catch (error) {
    signal.throwIfAborted();
    if (!isMachineError(error)) throw error;
    const { machineName, report } = place.context;
    logTo(report, "warn", `"${machineName}" did not shut down (${messageOf(error)}) and is switched off.`);
    await switchOff(place, signal);
  }
}

/** An answer of another kind is that of a product which does not know the question. */
async function hasTools(place: Workplace, signal: AbortSignal): Promise<boolean> {
  try {
    return (await place.api.vmrun.run(["checkToolsState", fileOf(place, "vmx")], signal)).trim() === "running";
  } catch (error) {
    signal.throwIfAborted();
    if (!isMachineError(error)) throw error;
    return false;
  }
}

async function askTools(place: Workplace, signal: AbortSignal): Promise<void> {
  await place.api.vmrun.run(["stop", fileOf(place, "vmx"), "soft"], signal, shutdownMs);
}

async function askGuest(place: Workplace, signal: AbortSignal): Promise<void> {
  const { context } = place;
  const password = async (): Promise<undefined> => undefined;
  try {
    await using ssh = await context.openSsh();
    await runRootScript(ssh, "poweroff", { label: context.machineName, password, timeoutMs: commandMs, signal });
  } catch (error) {
    // What ends the machine ends the connection.
    if (!isMachineError(error, "ssh-closed")) throw error;
  }
  await untilEnded(place, shutdownMs, signal);
}

export async function killMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  const sight = await requireOwn(place, signal);
  if (!sight.isRunning && !(await isSaved(place, sight))) return;
  if (!sight.isRunning) await launch(place, signal);
  await switchOff(place, signal);
}

export async function restartMachine(place: Workplace, signal: AbortSignal): Promise<void> {
  await stopMachine(place, signal);
  await startMachine(place, signal);
}

/** Ends it at once, and returns when it is not listed any more. */
export async function switchOff(place: Workplace, signal: AbortSignal): Promise<void> {
  try {
    await place.api.vmrun.run(["stop", fileOf(place, "vmx"), "hard"], signal);
  } catch (error) {
    // It may have ended by itself meanwhile.
    signal.throwIfAborted();
    if ((await lookUp(place, signal)).isRunning) throw error;
  }
  await untilEnded(place, endMs, signal);
}

async function untilEnded(place: Workplace, ms: number, signal: AbortSignal): Promise<void> {
  const { clock, machineName } = place.context;
  const hasEnded = async (): Promise<true | undefined> => !(await lookUp(place, signal)).isRunning || undefined;
  await poll({ ms, clock, signal }, lookEveryMs, hasEnded, `"${machineName}" did not end`);
}
