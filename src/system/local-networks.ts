/** The networks that this computer is in, and those that it has ways to. */
import { readFile } from "node:fs/promises";
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

/**
 * IPv4 networks that this computer has routes to by other devices than those of container engines; none where the system
 * does not tell (/proc/net/route: addresses in hexadecimal digits, lowest byte first).
 */
export async function routesHere(): Promise<string[]> {
  const table = await readFile("/proc/net/route", "utf8").catch(() => "");
  return table
    .split("\n")
    .slice(1)
    .flatMap((line) => {
      const [device = "", destination = "", , , , , , mask = ""] = line.split("\t");
      if (destination === "" || mask === "00000000" || /^(?:docker|br-|veth|lo)/u.test(device)) return [];
      const bits = Number.parseInt(mask, 16).toString(2).replaceAll("0", "").length;
      return [`${[6, 4, 2, 0].map((at) => Number.parseInt(destination.slice(at, at + 2), 16)).join(".")}/${bits}`];
    });
}
