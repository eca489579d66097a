/**
 * The DHCP server of a host-only interface. One that serves is used as it is. Only that of an interface which docker-machine made is
 * ever changed, and what it was before, as VirtualBox's own default one, is noted and put back.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { contains, dhcpRange, formatAddress, netmaskOf, parseAddress, type Cidr } from "./cidr.ts";
import { unlessGone } from "./failures.ts";
import { parseDhcpServers, type DhcpServer, type HostOnlyInterface } from "./listings.ts";
import { isMarkOf, noteServer, ownNetworks } from "./own-networks.ts";
import type { Workplace } from "./workplace.ts";

/** By which VirtualBox knows the server of an interface. */
export function networkNameOf(interfaceName: string): string {
  return `HostInterfaceNetworking-${interfaceName}`;
}

/** Throws `driver-failed` where an interface of others has no server that gives out addresses of the network. */
export async function ensureDhcp(place: Workplace, { name }: HostOnlyInterface, cidr: Cidr, signal: AbortSignal): Promise<void> {
  const { HostOnlyNoDHCP, HostOnlyAddress, HostOnlyCIDR } = place.config;
  const networkName = networkNameOf(name);
  const servers = parseDhcpServers((await place.tool.run(["list", "dhcpservers"], signal)).stdout);
  const server = servers.find((one) => one.networkName === networkName);
  const isRight = server?.isEnabled === !HostOnlyNoDHCP && (HostOnlyNoDHCP || servesFrom(server, cidr));
  if (isRight || (HostOnlyNoDHCP && server === undefined)) return;
  const { marks, formerServers } = await ownNetworks(place, signal);
  if (!isMarkOf(marks.get(name), HostOnlyCIDR)) {
    if (HostOnlyNoDHCP || HostOnlyAddress !== "") return;
    throw unserved(name, HostOnlyCIDR);
  }
  const range = dhcpRange(cidr);
  if (range === undefined) return;
  if (server !== undefined && !formerServers.has(networkName)) await noteServer(place, networkName, inWords(server), signal);
  const wanted: DhcpServer = {
    networkName,
    address: formatAddress(range.server),
    netmask: formatAddress(netmaskOf(cidr)),
    lower: formatAddress(range.lower),
    upper: formatAddress(range.upper),
    isEnabled: !HostOnlyNoDHCP,
  };
  await setServer(place, server === undefined ? "add" : "modify", wanted, signal);
}

function unserved(name: string, cidr: string): MachineError {
  return new MachineError(
    "driver-failed",
    `The host-only interface ${name} is not docker-machine's, and no DHCP server gives out addresses of ${cidr} there`,
    {
      hint: "Choose another network with --virtualbox-hostonly-cidr, a fixed address with --virtualbox-hostonly-address, or add a server: VBoxManage dhcpserver.",
    },
  );
}

function servesFrom({ lower, upper }: DhcpServer, cidr: Cidr): boolean {
  return [lower, upper].every((text) => {
    const address = parseAddress(text);
    return address !== undefined && contains(cidr, address);
  });
}

/** Makes the server what it was before; one that was not there goes. @param former what was noted of it */
export async function takeDhcpBack(
  place: Workplace,
  networkName: string,
  former: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const was = former === undefined ? undefined : parseWords(networkName, former);
  if (was === undefined)
    await unlessGone(async () => await place.tool.run(["dhcpserver", "remove", "--netname", networkName], signal));
  else await unlessGone(async () => await setServer(place, "modify", was, signal));
}

async function setServer({ tool }: Workplace, action: "add" | "modify", server: DhcpServer, signal: AbortSignal): Promise<void> {
  const { networkName, address, netmask, lower, upper, isEnabled } = server;
  const addresses = ["--ip", address, "--netmask", netmask, "--lowerip", lower, "--upperip", upper];
  await tool.run(["dhcpserver", action, "--netname", networkName, ...addresses, isEnabled ? "--enable" : "--disable"], signal);
}

function inWords({ address, netmask, lower, upper, isEnabled }: DhcpServer): string {
  return [address, netmask, lower, upper, isEnabled ? "on" : "off"].join(" ");
}

function parseWords(networkName: string, words: string): DhcpServer | undefined {
  const [address, netmask, lower, upper, state] = words.split(" ");
  if (address === undefined || netmask === undefined || lower === undefined || upper === undefined) return undefined;
  return { networkName, address, netmask, lower, upper, isEnabled: state === "on" };
}
