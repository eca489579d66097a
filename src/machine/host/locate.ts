/** Following a machine to where its provider has it now. */
import { MachineError } from "../../errors/machine-error.ts";
import { formatBound } from "../../system/time-text.ts";
import { poll, within } from "../../system/waiting.ts";
import type { MachineContext } from "../machine-context.ts";
import type { Host } from "./host.ts";
import { paceOf } from "./wait-for-state.ts";

/**
 * Asks the driver where the running machine is until it knows, and saves what has changed. Nothing to do where addresses
 * do not change. The caller holds the machine's lock. Throws what the driver throws, and `timeout`.
 */
export async function locate(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  const { driver, name } = host;
  if (driver.locate === undefined) return;
  const before = await driver.configText();
  const { runningMs } = context.timeouts;
  const late = (): MachineError => noAddress(name, runningMs, driver.addressHint);
  await poll({ ms: runningMs, clock: context.clock, signal }, paceOf(host), async () => await ask(context, host, signal), late);
  if ((await driver.configText()) !== before) await host.save();
}

function noAddress(name: string, ms: number, hint: string | undefined): MachineError {
  return new MachineError("timeout", `"${name}" runs, but its provider told no address of it within ${formatBound(ms)}`, {
    hint: hint ?? "Look at its console and its network at the provider; then run the command again.",
  });
}

/** The address that the provider tells; undefined while it knows none. Nothing is saved. */
export async function ask(context: MachineContext, host: Host, signal: AbortSignal): Promise<string | undefined> {
  const otherwise = `The driver of "${host.name}" did not tell where it is`;
  const patience = { ms: context.timeouts.stateMs, clock: context.clock, signal };
  await within(patience, async (inner) => await host.driver.locate?.(inner), otherwise);
  const address = await host.driver.getIp();
  return address === "" ? undefined : address;
}
