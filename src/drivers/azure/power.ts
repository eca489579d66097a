/** The states of a virtual machine, and switching it: each change is an operation at Azure that is waited for. */
import type { MachineState } from "../../driver-kit/state.ts";
import { logTo } from "../../log/event.ts";
import { gone } from "./creation.ts";
import { types } from "./resource-names.ts";
import { findMachine, idsFor, isOurMachine, type VirtualMachine, type Workplace } from "./workplace.ts";

/** Codes of the instance view: https://learn.microsoft.com/azure/virtual-machines/states-billing. */
const states: Readonly<Record<string, MachineState>> = {
  "PowerState/running": "Running",
  "PowerState/starting": "Starting",
  "PowerState/stopping": "Stopping",
  "PowerState/deallocating": "Stopping",
  "PowerState/stopped": "Stopped",
  "PowerState/deallocated": "Stopped",
};

/** The code of the power state; "" while there is none. */
function powerOf({ properties }: VirtualMachine): string {
  const codes = (properties?.instanceView?.statuses ?? []).map(({ code = "" }) => code);
  return codes.find((code) => code.startsWith("PowerState/") && code !== "PowerState/unknown") ?? "";
}

/** "" where there is none: it was never made, or is gone. */
export async function stateOf(place: Workplace, signal: AbortSignal): Promise<MachineState> {
  const { config, ledger } = place;
  if (config.VmId === "" && ledger.entries.length === 0) return "";
  const found = await findMachine(place, signal);
  if (found === undefined || !isOurMachine(place, found)) return "";
  const state = states[powerOf(found)];
  if (found.properties?.provisioningState === "Failed" && state !== "Running" && state !== "Stopped") return "Error";
  return state ?? (["Creating", "Updating"].includes(found.properties?.provisioningState ?? "") ? "Starting" : "");
}

async function requireMachine(place: Workplace, signal: AbortSignal): Promise<VirtualMachine> {
  const found = await findMachine(place, signal);
  if (found === undefined || !isOurMachine(place, found)) throw gone(place);
  return found;
}

export async function start(place: Workplace, signal: AbortSignal): Promise<void> {
  if (powerOf(await requireMachine(place, signal)) !== "PowerState/running") await act(place, "start", signal);
}

export async function restart(place: Workplace, signal: AbortSignal): Promise<void> {
  await requireMachine(place, signal);
  await act(place, "restart", signal);
}

/** Whether a stopped machine keeps its place, and its bill, as 0.16.2 left it. */
function keepsPlace({ config, context }: Workplace): boolean {
  if (config.StopMode !== "") return config.StopMode === "power-off";
  return context.computer.env["MACHINE_COMPAT"] === "0.16";
}

/** Of 0.16.2, which scripts may look for. */
const notices = [
  "Stopping an Azure Virtual Machine is just going to power it off, not deallocate.",
  "You should remove the machine if you would like to avoid unexpected costs.",
];

export async function stop(place: Workplace, signal: AbortSignal): Promise<void> {
  const power = powerOf(await requireMachine(place, signal));
  if (power === "PowerState/deallocated") return;
  if (!keepsPlace(place)) return await act(place, "deallocate", signal);
  for (const text of notices) logTo(place.context.report, "info", `NOTICE: ${text}`);
  if (power !== "PowerState/stopped") await act(place, "powerOff", signal);
}

/** Off at once; then given back, where `stop` would give it back. */
export async function kill(place: Workplace, signal: AbortSignal): Promise<void> {
  const power = powerOf(await requireMachine(place, signal));
  if (power === "PowerState/deallocated") return;
  if (power !== "PowerState/stopped") await act(place, "powerOff", signal, { skipShutdown: true });
  if (!keepsPlace(place)) await act(place, "deallocate", signal);
}

type Action = "start" | "restart" | "powerOff" | "deallocate";

async function act(
  place: Workplace,
  action: Action,
  signal: AbortSignal,
  query: Readonly<Record<string, boolean>> = {},
): Promise<void> {
  const request = { path: `${idsFor(place).instance}/${action}`, version: types.instance.version, query };
  await place.api.post(request, signal, action !== "restart");
}
