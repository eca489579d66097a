/** A machine's time, as its record has it, brought to its provider and to its host. */
import { provisionLifetime } from "../../provision/provision.ts";
import { within } from "../../system/waiting.ts";
import type { Host } from "../host/host.ts";
import { locate } from "../host/locate.ts";
import type { MachineContext } from "../machine-context.ts";
import { loggedIn } from "../provision-machine.ts";
import { deadlineOf } from "./recorded-lifetime.ts";

/** Where the provider ends instances by itself, this one's end is told to it. Throws what the driver throws. */
export async function tellProvider(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  const { setLifetime } = host.driver;
  if (setLifetime === undefined) return;
  const otherwise = `The driver of "${host.name}" did not set its time`;
  const patience = { ms: context.timeouts.driverMs, clock: context.clock, signal };
  await within(patience, async (bound) => await setLifetime.call(host.driver, deadlineOf(host.record.extra), bound), otherwise);
}

/** The host is told; what is recorded is true from then on. The caller holds the machine's lock. */
export async function tellHost(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  await locate(context, host, signal);
  await loggedIn(context, host, signal, provisionLifetime);
  delete host.record.extra.LifetimePending;
  await host.save();
}
