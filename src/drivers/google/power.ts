/** The states of an instance, and switching it: each change is an operation, waited for until Google says how it ended. */
import type { MachineState } from "../../driver-kit/state.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { instancePath, ownInstance, requireInstance, type Workplace } from "./workplace.ts";

const states: Readonly<Record<string, MachineState>> = {
  PROVISIONING: "Starting",
  STAGING: "Starting",
  PENDING: "Starting",
  REPAIRING: "Starting",
  RUNNING: "Running",
  STOPPING: "Stopping",
  PENDING_STOP: "Stopping",
  SUSPENDING: "Stopping",
  DEPROVISIONING: "Stopping",
  TERMINATED: "Stopped",
  STOPPED: "Stopped",
  SUSPENDED: "Saved",
};

/** "" where there is none: it was never made, or is gone. */
export async function stateOf(place: Workplace, signal: AbortSignal): Promise<MachineState> {
  if (place.config.InstanceNumericId === "" && place.config.Resources.length === 0) return "";
  const instance = await ownInstance(place, signal);
  return states[instance?.status ?? ""] ?? "";
}

const runs: ReadonlySet<string> = new Set(["RUNNING", "PROVISIONING", "STAGING"]);
export const stands: ReadonlySet<string> = new Set(["TERMINATED", "STOPPED"]);

/** Resumes one that is suspended. */
export async function startInstance(place: Workplace, signal: AbortSignal): Promise<void> {
  const { status } = await requireInstance(place, signal);
  if (runs.has(status)) return;
  const verb = status === "SUSPENDED" ? "resume" : "start";
  await place.api.operate({ method: "POST", path: `${instancePath(place)}/${verb}` }, signal);
}

/**
 * The address that Google lends is given back with it, and may be another's a moment later.
 * @param atOnce without the time that guests may have been given to end their work
 */
export async function stopInstance(place: Workplace, signal: AbortSignal, atOnce = false): Promise<void> {
  const { config, context } = place;
  const { status } = await requireInstance(place, signal);
  if (status === "SUSPENDED")
    throw new MachineError("machine-state", `The instance of "${context.machineName}" is suspended`, {
      hint: `Start it first: docker-machine start ${context.machineName}`,
    });
  if (!stands.has(status)) {
    const query = atOnce ? { noGracefulShutdown: true } : {};
    await place.api.operate({ method: "POST", path: `${instancePath(place)}/stop`, query }, signal);
  }
  if (config.StaticIP === "" && !config.UseInternalIP) config.IPAddress = "";
  await context.save();
}

/** As 0.16.2: the guest ends in order, and may come up under another address. */
export async function restartInstance(place: Workplace, signal: AbortSignal): Promise<void> {
  await stopInstance(place, signal);
  await startInstance(place, signal);
}
