/** Addresses of IPv4 networks, as numbers. No I/O. */

export interface Cidr {
  /** Of this computer in the network. */
  readonly address: number;
  readonly prefix: number;
}

/** `192.168.59.1/24`; undefined for what is none. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = "", length = ""] = text.split("/");
  const parsed = parseAddress(address);
  const prefix = Number(length);
  if (parsed === undefined || !/^\d{1,2}$/u.test(length) || prefix > 32) return undefined;
  return { address: parsed, prefix };
}

export function parseAddress(text: string): number | undefined {
  const octets = text.split(".");
  if (octets.length !== 4 || !octets.every((octet) => /^\d{1,3}$/u.test(octet) && Number(octet) <= 255)) return undefined;
  return octets.reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

export function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
}

export function netmaskOf({ prefix }: Cidr): number {
  return prefix === 0 ? 0 : (0xffff_ffff << (32 - prefix)) >>> 0;
}

export function networkOf(cidr: Cidr): number {
  return (cidr.address & netmaskOf(cidr)) >>> 0;
}

export function broadcastOf(cidr: Cidr): number {
  return (networkOf(cidr) | ~netmaskOf(cidr)) >>> 0;
}

export function contains(network: Cidr, address: number): boolean {
  return (address & netmaskOf(network)) >>> 0 === networkOf(network);
}

/** Of a netmask as programs print it; undefined where its bits have gaps. */
export function prefixOf(netmask: string): number | undefined {
  const mask = parseAddress(netmask);
  if (mask === undefined) return undefined;
  const prefix = Math.clz32(~mask >>> 0);
  return netmaskOf({ address: 0, prefix }) === mask ? prefix : undefined;
}

export interface DhcpRange {
  /** Of the server itself. */
  readonly server: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * What a DHCP server gives out: .100 to .254 where the network has as many, as 0.16.2 does, else all behind the server's
 * own address. Undefined where there is no room for a machine.
 */
export function dhcpRange(cidr: Cidr): DhcpRange | undefined {
  const network = networkOf(cidr);
  const server = cidr.address === network + 1 ? network + 2 : network + 1;
  const range =
    cidr.prefix <= 24
      ? { server, lower: network + 100, upper: network + 254 }
      : { server, lower: Math.max(server, cidr.address) + 1, upper: broadcastOf(cidr) - 1 };
  return range.lower <= range.upper ? range : undefined;
}
