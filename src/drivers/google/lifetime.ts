/**
 * How long Google lets an instance run before it deletes it. Compute Engine counts from each start of the instance on, and
 * takes another length only while it stands (Compute Engine documentation, "Limit the run time of a VM").
 */
import { MachineError } from "../../errors/machine-error.ts";
import { scheduling } from "./instance-request.ts";
import { stands } from "./power.ts";
import { instancePath, requireInstance, type Workplace } from "./workplace.ts";

/** Google's own bounds: half a minute, 120 days. */
const least = 30;
const most = 10_368_000;

export async function setLifetime(place: Workplace, deadline: Date | undefined, signal: AbortSignal): Promise<void> {
  const { api, config, context } = place;
  if (deadline !== undefined && config.UseExisting) throw isOfOthers(context.machineName);
  const seconds = secondsUntil(deadline, context.clock.now(), context.machineName);
  if (config.InstanceNumericId === "") {
    config.MaxRunSeconds = seconds;
    return;
  }
  if (seconds === 0 && config.MaxRunSeconds === 0) return;
  const { status } = await requireInstance(place, signal);
  if (!stands.has(status)) throw mustStand(context.machineName);
  config.MaxRunSeconds = seconds;
  await api.operate({ method: "POST", path: `${instancePath(place)}/setScheduling`, body: scheduling(place) }, signal);
  await context.save();
}

function secondsUntil(deadline: Date | undefined, now: Date, name: string): number {
  if (deadline === undefined) return 0;
  const seconds = Math.max(least, Math.ceil((deadline.getTime() - now.getTime()) / 1000));
  if (seconds <= most) return seconds;
  throw new MachineError("driver-options", `Google lets "${name}" run for 120 days at most before it deletes it`, {
    hint: "Give an earlier deadline, or none.",
  });
}

function mustStand(name: string): MachineError {
  return new MachineError("machine-state", `Google changes how long "${name}" may run only while it is stopped`, {
    hint: `docker-machine stop ${name}, then this command, then docker-machine start ${name}`,
  });
}

function isOfOthers(name: string): MachineError {
  return new MachineError("driver-options", `The instance of "${name}" was there before, and Google is not told to delete it`, {
    hint: "Leave out --ttl with --google-use-existing.",
  });
}
