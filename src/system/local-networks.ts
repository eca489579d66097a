/** The networks that this computer is in. */
import { networkInterfaces } from "node:os";

export interface LocalNetwork {
  readonly name: string;
  /** IPv4. */
  readonly address: string;
  readonly netmask: string;
}

export function localNetworks(): readonly LocalNetwork[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.filter(({ family }) => family === "IPv4").map(({ address, netmask }) => ({ name, address, netmask })),
  );
}
