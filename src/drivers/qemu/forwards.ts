/**
 * Ports of this computer that lead into a guest. They are opened by the monitor once the guest may be reached, never
 * on the command line: a taken port is then an answer and not a failed start.
 */
import type { PublishedPort } from "../../driver-kit/driver.ts";
import { readPublishedPort } from "../../driver-kit/published-port.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { QmpClient } from "./qmp.ts";

export interface Forward {
  readonly protocol: "tcp" | "udp";
  readonly address: string;
  readonly hostPort: number;
  readonly guestPort: number;
}

/** Id of the guest's network in QEMU. */
export const networkId = "net0";

/** Parses `[ADDRESS:]HOSTPORT[:PORT][/udp]`; the address defaults to 127.0.0.1. Throws `driver-options`. */
export function parseForward(text: string): Forward {
  const port = readPublishedPort(text);
  if (port === undefined)
    throw new MachineError("driver-options", `--qemu-open-port ${JSON.stringify(text)} is not [ADDRESS:]HOSTPORT[:PORT][/udp]`);
  return forwardOf(port);
}

export function forwardOf({ protocol, hostAddress, hostPort, machinePort }: PublishedPort): Forward {
  return { protocol, address: hostAddress, hostPort, guestPort: machinePort };
}

/** Throws `driver-options` for what is no forward, and where two of them would listen on the same port. */
export function requireDistinct(texts: readonly string[]): void {
  const forwards = texts.map(parseForward);
  for (const [index, text] of texts.entries()) {
    const forward = parseForward(text);
    const twin = texts[forwards.slice(0, index).findIndex((earlier) => meet(earlier, forward))];
    if (twin === undefined) continue;
    const both = twin === text ? `--qemu-open-port ${text} is given twice` : `--qemu-open-port ${twin} and ${text}`;
    throw new MachineError("driver-options", twin === text ? both : `${both} are the same port of this computer`, {
      hint: "Give each another port before the colon: [ADDRESS:]HOSTPORT[:PORT][/udp].",
    });
  }
}

/** 0.0.0.0 is every address. */
const everywhere = "0.0.0.0";

/** Whether they would listen on the same port. */
export function meet(one: Forward, other: Forward): boolean {
  const isSamePlace = one.address === other.address || [one.address, other.address].includes(everywhere);
  return one.protocol === other.protocol && one.hostPort === other.hostPort && isSamePlace;
}

export const loopback = "127.0.0.1";

/** A forward from 127.0.0.1. */
export function loopbackForward(hostPort: number, guestPort: number): Forward {
  return { protocol: "tcp", address: loopback, hostPort, guestPort };
}

/** Opens the port. False when it is taken on this computer. */
export async function openForward(monitor: QmpClient, forward: Forward): Promise<boolean> {
  const { protocol, address, hostPort, guestPort } = forward;
  const said = await monitor.human(`hostfwd_add ${networkId} ${protocol}:${address}:${hostPort}-:${guestPort}`);
  return said === "";
}

/** Closes the port; connections that it carried go on. Succeeds where it was not open. */
export async function closeForward(monitor: QmpClient, { protocol, address, hostPort }: Forward): Promise<void> {
  await monitor.human(`hostfwd_remove ${networkId} ${protocol}:${address}:${hostPort}`);
}

/** `PROTOCOL/ADDRESS:PORT` on this computer. */
export function placeOf({ protocol, address, hostPort }: Forward): string {
  return `${protocol}/${address}:${hostPort}`;
}

/** What leads into the guest already, by its place. */
export async function listForwards(monitor: QmpClient): Promise<ReadonlyMap<string, Forward>> {
  // Lines are: Protocol[State] FD SourceAddress Port DestAddress Port RecvQ SendQ
  const lines = (await monitor.human("info usernet")).matchAll(
    /^\s*(TCP|UDP)\[HOST_FORWARD\]\s+\S+\s+(\S+)\s+(\d+)\s+\S+\s+(\d+)\s/gmu,
  );
  const forwards = [...lines].map(([, protocol, address = "", hostPort, guestPort]): Forward => ({
    protocol: protocol === "UDP" ? "udp" : "tcp",
    address: address === "*" ? everywhere : address,
    hostPort: Number(hostPort),
    guestPort: Number(guestPort),
  }));
  return new Map(forwards.map((forward) => [placeOf(forward), forward]));
}
