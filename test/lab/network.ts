/**
 * The lab engine's own piece of network: one bridge in a free subnet, one masquerading rule, forwarding switched on.
 * The engine itself touches no firewall table, so that nothing else on this computer is disturbed and all of it can be
 * undone.
 */
import { readFile } from "node:fs/promises";
import { command, tryCommand } from "./command.ts";

export interface LabNetwork {
  readonly bridge: string;
  /** Address of this computer on the bridge. */
  readonly gateway: string;
  readonly subnet: string;
  /** Kernel settings that were changed, with their former values. */
  readonly formerSettings: Readonly<Record<string, string>>;
}

const bridge = "dmlab0";
const candidateNetworks = [213, 214, 215, 216, 217].map((second) => `10.${second}`);
const prefixLength = 20;

/** Each systemd takes several inotify instances; the kernel's default of 128 is used up by fifteen hosts. */
const neededSettings: Readonly<Record<string, number>> = {
  "net.ipv4.ip_forward": 1,
  "fs.inotify.max_user_instances": 1024,
};

export async function setUpNetwork(): Promise<LabNetwork> {
  await removeBridge();
  const prefix = await freeNetwork();
  const gateway = `${prefix}.0.1`;
  const subnet = `${prefix}.0.0/${prefixLength}`;
  await command("ip", ["link", "add", "name", bridge, "type", "bridge"]);
  await command("ip", ["address", "add", `${gateway}/${prefixLength}`, "dev", bridge]);
  await command("ip", ["link", "set", bridge, "up"]);
  for (const rule of rulesFor(subnet)) await command("iptables", ["-w", "-t", rule.table, "-I", ...rule.words]);
  return { bridge, gateway, subnet, formerSettings: await raiseSettings() };
}

/** Takes back what {@link setUpNetwork} did; also half of it, after a crash. */
export async function takeDownNetwork(network: Pick<LabNetwork, "subnet" | "formerSettings">): Promise<void> {
  for (const rule of rulesFor(network.subnet)) await tryCommand("iptables", ["-w", "-t", rule.table, "-D", ...rule.words]);
  for (const [name, value] of Object.entries(network.formerSettings)) await tryCommand("sysctl", ["-qw", `${name}=${value}`]);
  await removeBridge();
}

interface Rule {
  readonly table: string;
  readonly words: readonly string[];
}

function rulesFor(subnet: string): Rule[] {
  const comment = ["-m", "comment", "--comment", "docker-machine-lab"];
  return [
    { table: "nat", words: ["POSTROUTING", "-s", subnet, "!", "-o", bridge, ...comment, "-j", "MASQUERADE"] },
    { table: "filter", words: ["FORWARD", "-i", bridge, ...comment, "-j", "ACCEPT"] },
    { table: "filter", words: ["FORWARD", "-o", bridge, ...comment, "-j", "ACCEPT"] },
  ];
}

async function removeBridge(): Promise<void> {
  await tryCommand("ip", ["link", "delete", bridge]);
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
