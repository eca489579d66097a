/** Switching an instance: each change is an operation, which is waited for until Google says how it ended. */
import { MachineError } from "../../errors/machine-error.ts";
import { instancePath, requireInstance, type Workplace } from "./workplace.ts";

const runs: ReadonlySet<string> = new Set(["RUNNING", "PROVISIONING", "STAGING"]);
const stands: ReadonlySet<string> = new Set(["TERMINATED", "STOPPED"]);

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
