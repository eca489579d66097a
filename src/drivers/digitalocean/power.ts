/** Switching a droplet: each change is an action of the API, which is waited for until DigitalOcean says how it ended. */
import { isUncertain } from "../../driver-kit/provider-error.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { poll } from "../../system/waiting.ts";
import type { Action, Droplet } from "./api.ts";
import { gone } from "./creation.ts";
import { pace, recordedDroplet, type Workplace } from "./workplace.ts";

type PowerAction = "power_on" | "power_off" | "shutdown" | "reboot";

/** What each leads to; undefined = it is worth doing in any state. */
const goals: Readonly<Record<PowerAction, Droplet["status"] | undefined>> = {
  power_on: "active",
  power_off: "off",
  shutdown: "off",
  reboot: undefined,
};

/** Does nothing where the droplet is in that state already. Throws `provider-not-found` where it is gone. */
export async function power(place: Workplace, type: PowerAction, signal: AbortSignal): Promise<void> {
  const droplet = await requireDroplet(place, signal);
  if (droplet.status === goals[type]) return;
  if (droplet.status === "archive") throw archived(place);
  const action = await begin(place, type, signal);
  if (action !== undefined) await waitForAction(place, action, signal);
}

export async function stop(place: Workplace, signal: AbortSignal): Promise<void> {
  logTo(place.context.report, "info", "A droplet that is stopped is billed as one that runs; rm ends that.");
  await power(place, "shutdown", signal);
}

export async function requireDroplet(place: Workplace, signal: AbortSignal): Promise<Droplet> {
  const droplet = await recordedDroplet(place, signal);
  if (droplet === undefined) throw gone(place);
  return droplet;
}

/** Undefined where the state is reached all the same: by others, or by a request whose answer was lost. */
async function begin(place: Workplace, type: PowerAction, signal: AbortSignal): Promise<Action | undefined> {
  const path = `/v2/droplets/${place.config.DropletID}/actions`;
  const isReboot = type === "reboot";
  try {
    return (await place.api.send<{ action: Action }>({ method: "POST", path, body: { type }, safe: !isReboot }, signal)).action;
  } catch (error) {
    signal.throwIfAborted();
    if (isReboot || isUncertain(error) || (await requireDroplet(place, signal)).status !== goals[type]) throw error;
    return undefined;
  }
}

async function waitForAction({ api, context }: Workplace, { id, type }: Action, signal: AbortSignal): Promise<void> {
  const { clock, machineName, operationMs } = context;
  const ask = async (): Promise<true | undefined> => {
    const { action } = await api.send<{ action: Action }>({ method: "GET", path: `/v2/actions/${id}` }, signal);
    if (action.status === "errored")
      throw new MachineError("provider-error", `DigitalOcean could not carry out ${type} on "${machineName}" (action ${id})`, {
        hint: "Try again; see https://status.digitalocean.com.",
      });
    return action.status === "completed" ? true : undefined;
  };
  await poll({ ms: operationMs, clock, signal }, pace, ask, `DigitalOcean did not finish ${type} on "${machineName}"`);
}

function archived({ context }: Workplace): MachineError {
  return new MachineError(
    "provider-account",
    `The droplet of "${context.machineName}" is archived, which DigitalOcean does when bills are open`,
    {
      hint: "See https://cloud.digitalocean.com/account/billing, or ask DigitalOcean's support.",
    },
  );
}
