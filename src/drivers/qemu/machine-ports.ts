/** The ports of this computer through which a machine is reached. */
import { defaultEnginePort } from "../../engine/engine-address.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { isPortFree, pickFreePort } from "../../system/loopback-port.ts";
import type { QemuConfig } from "./config.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import { listForwards, loopbackForward, openForward, parseForward } from "./forwards.ts";
import type { QmpClient } from "./qmp.ts";

export const loopback = "127.0.0.1";

const ownContext = [
  ["SSHPort", guestSshPort],
  ["EnginePort", defaultEnginePort],
] as const;

/** Chooses the machine's ports, unless they are chosen. The caller saves the configuration before anything is launched. */
export async function choosePorts(config: QemuConfig): Promise<void> {
  config.IPAddress = loopback;
  for (const [key] of ownContext) if (config[key] === 0) config[key] = await pickFreePort(takenBy(config));
}

/** Throws `port-taken` when a port that the user wants opened is in use. */
export async function requireFreePorts(config: QemuConfig): Promise<void> {
  for (const { protocol, hostPort } of config.OpenPorts.map(parseForward)) {
    if (protocol === "tcp" && !(await isPortFree(hostPort))) throw portTaken(hostPort);
  }
}

/**
 * Makes the running guest reachable. Ports that are open already stay. One of the machine's own that somebody else has
 * taken meanwhile is replaced, recorded and reported; one that the user chose is an error.
 */
export async function openPorts(context: DriverContext, config: QemuConfig, monitor: QmpClient): Promise<void> {
  const open = await listForwards(monitor);
  for (const [key, guestPort] of ownContext) {
    if (!open.has(`tcp/${config[key]}`)) await openOwn(context, config, monitor, key, guestPort);
  }
  for (const forward of config.OpenPorts.map(parseForward)) {
    if (open.has(`${forward.protocol}/${forward.hostPort}`)) continue;
    if (!(await openForward(monitor, forward))) throw portTaken(forward.hostPort);
  }
}

async function openOwn(
  context: DriverContext,
  config: QemuConfig,
  monitor: QmpClient,
  key: "SSHPort" | "EnginePort",
  guestPort: number,
): Promise<void> {
  while (!(await openForward(monitor, loopbackForward(config[key], guestPort)))) {
    const taken = config[key];
    config[key] = await pickFreePort(takenBy(config));
    await context.save();
    logTo(
      context.report,
      "warn",
      `Port ${taken} of ${loopback} is in use; "${config.MachineName}" is reached at port ${config[key]} from now on.`,
    );
  }
}

function takenBy(config: QemuConfig): ReadonlySet<number> {
  return new Set([config.SSHPort, config.EnginePort, ...config.OpenPorts.map((text) => parseForward(text).hostPort)]);
}

function portTaken(port: number): MachineError {
  return new MachineError("port-taken", `Port ${port} of this computer is in use`, {
    hint: "End the program that listens there, or choose another port with --qemu-open-port.",
  });
}
