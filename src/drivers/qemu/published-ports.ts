/** Ports that are opened and closed while a machine exists: those of `--qemu-open-port`, changed. */
import type { DriverContext, PublishedPort } from "../../driver-kit/driver.ts";
import type { QemuConfig } from "./config.ts";
import { closeForward, parseForward, placeOf, requireDistinct } from "./forwards.ts";
import { openPorts } from "./machine-ports.ts";
import type { QmpClient } from "./qmp.ts";

/** What the configuration has opened. */
export function publishedPorts({ OpenPorts }: QemuConfig): PublishedPort[] {
  return OpenPorts.map(parseForward).map(({ protocol, address, hostPort, guestPort }) => ({
    protocol,
    hostAddress: address,
    hostPort,
    machinePort: guestPort,
  }));
}

/**
 * Makes exactly these lead into the guest, from now on and at each start. Throws `port-taken` and `driver-options` as
 * create does; then those of before are as they were.
 * @param monitor undefined where the guest does not run: then it is opened at its start
 */
export async function publishPorts(
  context: DriverContext,
  config: QemuConfig,
  ports: readonly PublishedPort[],
  monitor: QmpClient | undefined,
): Promise<void> {
  const [before, wanted] = [config.OpenPorts, ports.map(textOf)];
  requireDistinct(wanted);
  config.OpenPorts = wanted;
  if (monitor === undefined) return;
  await closeAll(monitor, before, wanted);
  try {
    await openPorts(context, config, monitor);
    // While no one else has the monitor: whoever has it next reads what was opened.
    await context.save();
  } catch (error) {
    config.OpenPorts = before;
    await closeAll(monitor, wanted, before);
    await openPorts(context, config, monitor);
    throw error;
  }
}

/** Those that are not to stay. */
async function closeAll(monitor: QmpClient, open: readonly string[], staying: readonly string[]): Promise<void> {
  const places = new Set(staying.map((text) => `${placeOf(parseForward(text))}>${parseForward(text).guestPort}`));
  for (const forward of open.map(parseForward))
    if (!places.has(`${placeOf(forward)}>${forward.guestPort}`)) await closeForward(monitor, forward);
}

function textOf({ protocol, hostAddress, hostPort, machinePort }: PublishedPort): string {
  return `${hostAddress}:${hostPort}:${machinePort}${protocol === "udp" ? "/udp" : ""}`;
}
