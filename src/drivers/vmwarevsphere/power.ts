/** The states of a VM, and switching it. A state that is reached already is a success. */
import type { StateAndProblem } from "../../driver-kit/defined-driver.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { failureKindOf, ProviderError } from "../../driver-kit/provider-error.ts";
import { MachineError, messageOf } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { poll } from "../../system/waiting.ts";
import type { Method } from "./api/schema.ts";
import { textOf } from "./api/xml.ts";
import { findVm, requireVm, type Vm } from "./instance.ts";
import { pace, type Workplace } from "./workplace.ts";

const states: Readonly<Record<string, MachineState>> = { poweredOn: "Running", poweredOff: "Stopped", suspended: "Saved" };
export const powerProperties = ["runtime.powerState", "runtime.connectionState"];
/** For a guest to shut down, unless the user gave another bound. */
export const shutdownMs = 120_000;
const sshCommandMs = 20_000;

/** "" where there is no VM. */
export async function lookAt(place: Workplace, signal: AbortSignal): Promise<StateAndProblem> {
  const { config } = place;
  const isKnown = config.InstanceUuid !== "" || config.MachineId !== "" || config.KnownByPlace;
  const vm = isKnown ? await findVm(place, powerProperties, signal) : undefined;
  if (vm === undefined) return { state: "", problem: undefined };
  const connection = vm.properties.get("runtime.connectionState")?.text ?? "connected";
  if (connection !== "connected")
    return { state: "Error", problem: `vSphere says that the VM is ${connection}: its host or its datastore cannot be reached` };
  return { state: stateOfVm(vm), problem: undefined };
}

/** "" for one that vSphere has no word for. */
export function stateOfVm(vm: Vm): MachineState {
  return states[powerOf(vm)] ?? "";
}

function powerOf({ properties }: Vm): string {
  return properties.get("runtime.powerState")?.text ?? "";
}

export async function powerOn(place: Workplace, signal: AbortSignal): Promise<void> {
  await switchTo(place, "PowerOnVM_Task", "poweredOn", signal);
}

export async function powerOff(place: Workplace, signal: AbortSignal): Promise<void> {
  await switchTo(place, "PowerOffVM_Task", "poweredOff", signal);
}

export async function suspend(place: Workplace, signal: AbortSignal): Promise<void> {
  await switchTo(place, "SuspendVM_Task", "suspended", signal);
}

async function switchTo(place: Workplace, method: Method, wanted: string, signal: AbortSignal): Promise<void> {
  const vm = await requireVm(place, [...powerProperties, "runtime.question"], signal);
  if (powerOf(vm) === wanted) return;
  requireNoQuestion(place, vm);
  try {
    await place.api.run(method, vm.ref, {}, signal);
  } catch (error) {
    // Somebody else was quicker.
    if (!isInvalidState(error) || powerOf(await requireVm(place, powerProperties, signal)) !== wanted) throw error;
  }
}

/** vSphere does nothing with a VM that waits for an answer. */
function requireNoQuestion({ context, config }: Workplace, { properties }: Vm): void {
  const question = textOf(properties.get("runtime.question"), "text");
  if (question === "") return;
  throw new MachineError(
    "machine-state",
    `The VM of "${context.machineName}" waits for an answer to: ${question.replaceAll(/\s+/gu, " ")}`,
    {
      hint: `Answer it in vCenter (${config.IP}) and run the command again.`,
    },
  );
}

function isInvalidState(error: unknown): boolean {
  return error instanceof ProviderError && error.failure.code === "InvalidPowerState";
}

/**
 * Asks the guest to shut down, by its tools, or by SSH where they do not run. One that does not within the bound is
 * switched off, and that is said.
 */
export async function shutDown(place: Workplace, signal: AbortSignal): Promise<void> {
  const { context, config } = place;
  const vm = await requireVm(place, powerProperties, signal);
  if (powerOf(vm) !== "poweredOn") return;
  const asked = (await askTools(place, vm, signal)) || (await askSystem(place, signal));
  const ms = config.GracefulShutdownTimeout > 0 ? config.GracefulShutdownTimeout * 1000 : shutdownMs;
  if (asked && (await isOffWithin(place, ms, signal))) return;
  const why = asked ? `did not shut down within ${ms / 1000} s` : "cannot be asked to shut down";
  logTo(context.report, "warn", `The guest of "${context.machineName}" ${why}; it is switched off.`);
  await powerOff(place, signal);
}

async function askTools({ api }: Workplace, vm: Vm, signal: AbortSignal): Promise<boolean> {
  try {
    await api.call("ShutdownGuest", vm.ref, {}, signal);
    return true;
  } catch (error) {
    if (isInvalidState(error)) return true;
    if (isUnasked(error)) return false;
    throw error;
  }
}

function isUnasked(error: unknown): boolean {
  return failureKindOf(error) === "unsupported";
}

async function askSystem({ context }: Workplace, signal: AbortSignal): Promise<boolean> {
  try {
    await using ssh = await context.openSsh();
    await ssh.run("sudo -n systemctl poweroff || sudo -n poweroff", { timeoutMs: sshCommandMs, signal });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    logTo(context.report, "debug", `The guest cannot be asked over SSH: ${messageOf(error)}`);
    return false;
  }
}

async function isOffWithin(place: Workplace, ms: number, signal: AbortSignal): Promise<boolean> {
  const patience = { ms, clock: place.context.clock, signal };
  const ask = async (): Promise<true | undefined> =>
    powerOf(await requireVm(place, powerProperties, signal)) === "poweredOn" ? undefined : true;
  return (await poll(patience, pace, ask)) === true;
}

/** By the guest's tools, else as by its button. */
export async function restart(place: Workplace, signal: AbortSignal): Promise<void> {
  const vm = await requireVm(place, powerProperties, signal);
  if (powerOf(vm) !== "poweredOn") {
    await powerOn(place, signal);
    return;
  }
  try {
    await place.api.call("RebootGuest", vm.ref, {}, signal);
  } catch (error) {
    if (!isUnasked(error)) throw error;
    await place.api.run("ResetVM_Task", vm.ref, {}, signal);
  }
}
