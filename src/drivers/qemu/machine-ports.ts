/** The ports of this computer through which a machine is reached. */
import { defaultEnginePort } from "../../engine/engine-address.ts";
import type { DriverContext } from "../../driver-kit/driver.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { pickFreePort, tryPort, type PortVerdict } from "../../system/loopback-port.ts";
import type { QemuConfig } from "./config.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import {
  closeForward,
  listForwards,
  loopback,
  loopbackForward,
  openForward,
  parseForward,
  placeOf,
  requireDistinct,
  type Forward,
} from "./forwards.ts";
import type { QmpClient } from "./qmp.ts";

const ownContext = [
  ["SSHPort", guestSshPort],
  ["EnginePort", defaultEnginePort],
] as const;

/** Chooses the machine's ports, unless they are chosen. The caller saves the configuration before anything is launched. */
export async function choosePorts(config: QemuConfig): Promise<void> {
  config.IPAddress = loopback;
  for (const [key] of ownContext) if (config[key] === 0) config[key] = await pickFreePort(takenBy(config));
}

/** Throws `port-taken` or `driver-options` when a port that the user wants opened cannot be. */
export async function requireFreePorts(config: QemuConfig): Promise<void> {
  requireDistinct(config.OpenPorts);
  for (const forward of config.OpenPorts.map(parseForward)) {
    const verdict = await tryPort({ ...forward, port: forward.hostPort });
    if (verdict !== "free") throw closedPort(forward, verdict);
  }
}

/**
 * Makes the running guest reachable. Ports that are open already stay. One of the machine's own that somebody else has
 * taken meanwhile is replaced, recorded and reported; one that the user chose is an error.
 */
export async function openPorts(context: DriverContext, config: QemuConfig, monitor: QmpClient): Promise<void> {
  const open = await listForwards(monitor);
  for (const [key, guestPort] of ownContext) {
    if (!open.has(placeOf(loopbackForward(config[key], guestPort)))) await openOwn(context, config, monitor, key, guestPort);
  }
  for (const forward of config.OpenPorts.map(parseForward)) {
    const there = open.get(placeOf(forward));
    if (there?.guestPort === forward.guestPort) continue;
    // A container's port came here by itself: what the user asks for goes before.
    if (there !== undefined) await closeForward(monitor, there);
    if (await openForward(monitor, forward)) continue;
    const verdict = await tryPort({ ...forward, port: forward.hostPort });
    throw closedPort(forward, verdict === "free" ? "in-use" : verdict);
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

/** Why a port of the user's choice cannot be opened. QEMU says no more than that it could not. */
function closedPort({ protocol, address, hostPort }: Forward, verdict: Exclude<PortVerdict, "free">): MachineError {
  const port = `${protocol === "udp" ? "UDP port" : "Port"} ${hostPort}`;
  switch (verdict) {
    case "in-use":
      return new MachineError("port-taken", `${port} of this computer is in use${address === loopback ? "" : ` at ${address}`}`, {
        hint: "End the program that listens there, or choose another port with --qemu-open-port.",
      });
    case "no-such-address":
      return new MachineError("driver-options", `--qemu-open-port: ${address} is no address of this computer`, {
        hint: `Leave it out for ${loopback}, give 0.0.0.0 for all of them, or see which there are with: ip -4 address`,
      });
    case "not-allowed":
      return new MachineError("driver-options", `${port} of this computer may not be opened by you`, {
        hint: "Choose one from 1024 on, which everybody may open.",
      });
  }
}
