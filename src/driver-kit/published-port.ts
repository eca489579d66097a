/** Ports of this computer that lead to a machine, as people write them. No I/O. */
import type { PublishedPort } from "./driver.ts";

/** `[ADDRESS:]HOSTPORT[:PORT][/udp]`; the address is 127.0.0.1 unless given. Undefined for what is none. */
export function readPublishedPort(text: string): PublishedPort | undefined {
  const found = /^(?:(\d+\.\d+\.\d+\.\d+):)?(\d+)(?::(\d+))?(?:\/(tcp|udp))?$/u.exec(text);
  if (found === null) return undefined;
  const [, hostAddress = "127.0.0.1", here, there = here, protocol] = found;
  const [hostPort, machinePort] = [Number(here), Number(there)];
  if (!isAddress(hostAddress) || !isPort(hostPort) || !isPort(machinePort)) return undefined;
  return { hostAddress, hostPort, machinePort, protocol: protocol === "udp" ? "udp" : "tcp" };
}

function isAddress(text: string): boolean {
  return text.split(".").every((part) => Number(part) <= 255 && String(Number(part)) === part);
}

export function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65_535;
}
