/** `console`: what a machine printed while it booted, for one that never answered. */
import { hasSshAddress } from "../driver-kit/ssh-target.ts";
import { MachineError } from "../errors/machine-error.ts";
import { within } from "../system/waiting.ts";
import { openHost } from "./host/open-host.ts";
import type { MachineContext } from "./machine-context.ts";

/** Throws `driver-unsupported` where the driver shows none, and what it throws. */
export async function readConsole(context: MachineContext, name: string, signal: AbortSignal): Promise<string> {
  await using host = await openHost(context, name);
  const { driver } = host;
  const read = driver.console?.bind(driver);
  if (read === undefined) {
    throw new MachineError("driver-unsupported", `The driver ${driver.driverName} shows no console`, {
      hint: (await hasSshAddress(driver))
        ? `Where it boots, docker-machine ssh ${name} sudo dmesg tells the same.`
        : `See it where "${name}" lives.`,
    });
  }
  const patience = { ms: context.timeouts.driverMs, clock: context.clock, signal };
  return await within(patience, async (bound) => await read(bound), `The driver of "${name}" did not show its console`);
}
