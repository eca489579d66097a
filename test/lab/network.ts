/**
 * The lab engine's own piece of network: one bridge in a free subnet, one masquerading rule, forwarding switched on.
 * The engine itself touches no firewall table, so that nothing else on this computer is disturbed and all of it can be
 * undone.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { command, tryCommand } from "./command.ts";
import { labPaths } from "./paths.ts";

/** The bridge that hosts are plugged into. */
export interface LabSegment {
  readonly bridge: string;
  /** Address of this computer on the bridge. */
  readonly gateway: string;
  readonly subnet: string;
  readonly prefixLength: number;
  /** Addresses for hosts, as numbers, last excluded: the upper half of the subnet, far from those that the engine gives out. */
  readonly firstNumber: number;
  readonly lastNumber: number;
}

/** What {@link setUpNetwork} did. */
export interface LabNetwork {
  readonly bridge: string;
  readonly gateway: string;
  readonly subnet: string;
  /** Kernel settings that were changed, with their former values. */
  readonly formerSettings: Readonly<Record<string, string>>;
  /** Interfaces that were there before, the lab's own left out. A lab of a former version did not note them. */
  readonly formerInterfaces?: readonly string[];
}

/** A bridge with this computer's address on it. */
export type BridgeNetwork = Pick<LabNetwork, "bridge" | "gateway" | "subnet">;

const forwarding = "net.ipv4.ip_forward";

/** Labs with different cache folders do not meet. */
const ownBridge = `dmlab-${createHash("sha256").update(labPaths.root).digest("hex").slice(0, 8)}`;
const candidateNetworks = [213, 214, 215, 216, 217].map((second) => `10.${second}`);
const prefixLength = 20;

/** Each systemd takes several inotify instances; the kernel's default of 128 is used up by fifteen hosts. */
const neededSettings: Readonly<Record<string, number>> = {
  [forwarding]: 1,
  "fs.inotify.max_user_instances": 1024,
};

export async function setUpNetwork(): Promise<LabNetwork> {
  const bridge = ownBridge;
  await tryCommand("ip", ["link", "delete", bridge]);
  const formerInterfaces = (await listInterfaces()).map(({ name }) => name);
  const prefix = await freeNetwork();
  const gateway = `${prefix}.0.1`;
  const subnet = `${prefix}.0.0/${prefixLength}`;
  // Left to itself a bridge takes the lowest hardware address of its ports, another one as hosts come and go; to those that
  // stay the gateway is then silent for half a minute, until they ask anew who has its address.
  await command("ip", ["link", "add", "name", bridge, "address", hardwareOf(parseAddress(gateway)), "type", "bridge"]);
  await command("ip", ["address", "add", `${gateway}/${prefixLength}`, "dev", bridge]);
  await command("ip", ["link", "set", bridge, "up"]);
  for (const rule of rulesFor(bridge, subnet)) await command("iptables", ["-w", "-t", rule.table, "-I", ...rule.words]);
  return { bridge, gateway, subnet, formerSettings: await raiseSettings(), formerInterfaces };
}

/** Takes back what {@link setUpNetwork} did; also half of it, after a crash. */
export async function takeDownNetwork({ bridge, subnet, formerSettings, formerInterfaces }: LabNetwork): Promise<void> {
  for (const rule of rulesFor(bridge, subnet)) await tryCommand("iptables", ["-w", "-t", rule.table, "-D", ...rule.words]);
  await tryCommand("ip", ["link", "delete", bridge]);
  if (await otherLabRuns()) return;
  const shared = await othersMayForward(formerInterfaces);
  for (const [name, value] of Object.entries(formerSettings)) {
    if (name !== forwarding || !shared) await tryCommand("sysctl", ["-qw", `${name}=${value}`]);
  }
}

async function otherLabRuns(): Promise<boolean> {
  return (await command("ip", ["-brief", "link", "show", "type", "bridge"])).includes("dmlab");
}

/**
 * Whether somebody else may count on forwarding by now: an engine that was started while the lab was there found it
 * switched on, and its containers would be cut off. Any bridge, and any interface that is new, is taken for a sign.
 */
async function othersMayForward(formerInterfaces: readonly string[] | undefined): Promise<boolean> {
  const interfaces = await listInterfaces();
  return interfaces.some(({ name, kind }) => kind === "bridge" || formerInterfaces?.includes(name) === false);
}

interface NetworkInterface {
  readonly name: string;
  /** `bridge`, `veth`, …; undefined for hardware. */
  readonly kind: string | undefined;
}

async function listInterfaces(): Promise<NetworkInterface[]> {
  const links = JSON.parse(await command("ip", ["-json", "-details", "link", "show"])) as readonly {
    readonly ifname: string;
    readonly linkinfo?: { readonly info_kind?: string };
  }[];
  return links
    .filter(({ ifname }) => !ifname.startsWith("dml"))
    .map((link) => ({ name: link.ifname, kind: link.linkinfo?.info_kind }));
}

/** What the interface itself says; undefined when there is none of that name, or it has no address. */
export async function networkOn(bridge: string): Promise<BridgeNetwork | undefined> {
  const shown = await tryCommand("ip", ["-json", "-4", "address", "show", "dev", bridge]);
  if (shown.status !== 0) return undefined;
  const links = JSON.parse(shown.stdout.toString()) as readonly {
    readonly addr_info?: readonly { readonly local: string; readonly prefixlen: number }[];
  }[];
  const address = links[0]?.addr_info?.[0];
  if (address === undefined) return undefined;
  const size = 2 ** (32 - address.prefixlen);
  const start = Math.floor(parseAddress(address.local) / size) * size;
  return { bridge, gateway: address.local, subnet: `${formatAddress(start)}/${address.prefixlen}` };
}

export function segmentOf({ bridge: name, gateway, subnet }: BridgeNetwork): LabSegment {
  const [network = "", length = ""] = subnet.split("/");
  const size = 2 ** (32 - Number(length));
  const start = parseAddress(network);
  const upperHalf = { firstNumber: start + size / 2, lastNumber: start + size - 1 };
  return { bridge: name, gateway, subnet, prefixLength: Number(length), ...upperHalf };
}

/** The hardware address of whoever has this address, as a number. */
export function hardwareOf(number: number): string {
  const digits = number.toString(16).padStart(8, "0");
  return ["02", "d0", ...(digits.match(/../gu) ?? [])].join(":");
}

export function parseAddress(address: string): number {
  return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

export function formatAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

/** What a host writes into its resolv.conf: this computer's name servers, unless only this computer can reach them. */
export async function readResolverConfiguration(): Promise<string> {
  const own = await readFile("/etc/resolv.conf", "utf8").catch(() => "");
  if (!/^nameserver\s+127\./mu.test(own)) return own;
  return await readFile("/run/systemd/resolve/resolv.conf", "utf8").catch(() => own);
}

interface Rule {
  readonly table: string;
  readonly words: readonly string[];
}

function rulesFor(bridge: string, subnet: string): Rule[] {
  const comment = ["-m", "comment", "--comment", "docker-machine-lab"];
  return [
    { table: "nat", words: ["POSTROUTING", "-s", subnet, "!", "-o", bridge, ...comment, "-j", "MASQUERADE"] },
    { table: "filter", words: ["FORWARD", "-i", bridge, ...comment, "-j", "ACCEPT"] },
    { table: "filter", words: ["FORWARD", "-o", bridge, ...comment, "-j", "ACCEPT"] },
  ];
}

async function freeNetwork(): Promise<string> {
  const routes = await command("ip", ["-4", "route", "show", "table", "all"]);
  const free = candidateNetworks.find((prefix) => !routes.includes(` ${prefix}.`) && !routes.includes(`\n${prefix}.`));
  if (free === undefined) throw new Error(`All networks that the lab may use are taken: ${candidateNetworks.join(", ")}`);
  return free;
}

async function raiseSettings(): Promise<Record<string, string>> {
  const former: Record<string, string> = {};
  for (const [name, needed] of Object.entries(neededSettings)) {
    const value = (await readFile(`/proc/sys/${name.replaceAll(".", "/")}`, "utf8")).trim();
    if (Number(value) >= needed) continue;
    await command("sysctl", ["-qw", `${name}=${needed}`]);
    former[name] = value;
  }
  return former;
}
