/** The rules of a machine's security group: names and priorities of 0.16.2, which scripts may know. No I/O. */
import { parseCidrs, type SourceRanges } from "../../driver-kit/open-ports.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import { swarmPortOf } from "../../engine/engine-address.ts";
import { parseSecurityPorts, type AzureConfig } from "./options.ts";

export interface SecurityRule {
  readonly name: string;
  readonly properties: {
    readonly priority: number;
    readonly protocol: "Tcp" | "Udp" | "*";
    readonly access: "Allow";
    readonly direction: "Inbound";
    readonly sourceAddressPrefix?: string;
    readonly sourceAddressPrefixes?: string[];
    readonly sourcePortRange: "*";
    readonly destinationAddressPrefix: "*";
    readonly destinationPortRange: string;
  };
}

interface Opening {
  readonly name: string;
  readonly priority: number;
  /** Of the rule for IPv6. */
  readonly priority6: number;
  readonly protocol: "Tcp" | "Udp" | "*";
  readonly ports: string;
}

const firstOwnPriority = 1_000;
/** Of the rules for IPv6 of such ports; Azure's last one is 4096. */
const firstOwnPriority6 = 2_500;

export function securityRules(config: AzureConfig): readonly SecurityRule[] {
  const ranges = parseCidrs("azure-open-cidr", config.OpenCidrs);
  return openingsOf(config).flatMap((opening) => rulesFor(opening, ranges, config.OpenCidrs.length === 0));
}

function openingsOf(config: AzureConfig): readonly Opening[] {
  const swarmPort = String(swarmPortOf(config.SwarmHost));
  return [
    { name: "SSHAllowAny", priority: 100, priority6: 101, protocol: "Tcp", ports: String(guestSshPort) },
    { name: "DockerAllowAny", priority: 300, priority6: 301, protocol: "Tcp", ports: String(config.DockerPort) },
    ...(config.SwarmMaster
      ? [{ name: "DockerSwarmAllowAny", priority: 500, priority6: 501, protocol: "Tcp" as const, ports: swarmPort }]
      : []),
    ...config.OpenPorts.map((given, at) => opened(given, firstOwnPriority + at, firstOwnPriority6 + at)),
  ];
}

function opened(given: string, priority: number, priority6: number): Opening {
  const [{ from, to, protocol }] = parseSecurityPorts([given]) as [ReturnType<typeof parseSecurityPorts>[number]];
  const ports = from === to ? String(from) : `${from}-${to}`;
  if (given.endsWith("/*")) return { name: `Port${ports}-AsteriskAllowAny`, priority, priority6, protocol: "*", ports };
  const name = protocol === "tcp" ? "Tcp" : "Udp";
  return { name: `Port${ports}-${name}AllowAny`, priority, priority6, protocol: name, ports };
}

/** IPv4 and IPv6 are refused in one rule. */
function rulesFor(opening: Opening, { v4, v6 }: SourceRanges, fromEverywhere: boolean): readonly SecurityRule[] {
  if (fromEverywhere) return [rule(opening, { sourceAddressPrefix: "*" })];
  const second = { ...opening, name: `${opening.name}6`, priority: opening.priority6 };
  return [
    ...(v4.length === 0 ? [] : [rule(opening, { sourceAddressPrefixes: [...v4] })]),
    ...(v6.length === 0 ? [] : [rule(second, { sourceAddressPrefixes: [...v6] })]),
  ];
}

function rule(
  { name, priority, protocol, ports }: Opening,
  source: Pick<SecurityRule["properties"], "sourceAddressPrefix" | "sourceAddressPrefixes">,
): SecurityRule {
  const fixed = { access: "Allow", direction: "Inbound", sourcePortRange: "*", destinationAddressPrefix: "*" } as const;
  return { name, properties: { priority, protocol, ...fixed, ...source, destinationPortRange: ports } };
}
