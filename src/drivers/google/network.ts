/** Where an instance is to be attached, and under which external address. What was looked up is recorded. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { lastPart, networkUrl } from "./firewall.ts";
import { regionOf } from "./options.ts";
import type { Workplace } from "./workplace.ts";

interface Network {
  readonly name: string;
  readonly selfLink?: string | undefined;
  readonly autoCreateSubnetworks?: boolean | undefined;
}

interface Subnetwork {
  readonly name: string;
  readonly network?: string | undefined;
  readonly stackType?: string | undefined;
  readonly ipv6AccessType?: string | undefined;
}

/** As the API takes it; a name alone is of the machine's project and region. */
export function subnetworkUrl({ config }: Pick<Workplace, "config">): string | undefined {
  const { Project, Subnetwork: given } = config;
  if (given === "") return undefined;
  if (!given.includes("/subnetworks/")) return `projects/${Project}/regions/${regionOf(config)}/subnetworks/${given}`;
  return given.slice(Math.max(0, given.indexOf("projects/")));
}

export async function checkNetwork(place: Workplace, signal: AbortSignal): Promise<void> {
  const subnet = await findSubnet(place, signal);
  if (subnet !== undefined) return checkSubnet(place, subnet);
  const { api, config } = place;
  const network = await api.findAnywhere<Network>(`/${networkUrl(config)}`, signal);
  if (network === undefined)
    throw new MachineError("provider-not-found", `There is no network ${config.Network} in the project ${config.Project}`, {
      hint: "Name one with --google-network; gcloud compute networks list shows them.",
    });
  if (network.autoCreateSubnetworks === false)
    throw new MachineError("driver-options", `The network ${network.name} has no subnets of its own accord`, {
      hint: `Name one in ${regionOf(config)} with --google-subnetwork.`,
    });
  if (config.IPv6)
    throw new MachineError("driver-options", "--google-ipv6 needs a subnet that has IPv6", {
      hint: "Name a dual-stack one, with external addresses, with --google-subnetwork.",
    });
}

async function findSubnet(place: Workplace, signal: AbortSignal): Promise<Subnetwork | undefined> {
  const url = subnetworkUrl(place);
  if (url === undefined) return undefined;
  const { api, config } = place;
  const found = await api.findAnywhere<Subnetwork>(`/${url}`, signal);
  if (found !== undefined) return found;
  throw new MachineError("provider-not-found", `There is no subnet ${config.Subnetwork} in the region ${regionOf(config)}`, {
    hint: "Name one with --google-subnetwork; gcloud compute networks subnets list shows them.",
  });
}

/** A subnet tells its network; another that was named is a contradiction. */
function checkSubnet({ config }: Workplace, { name, network = "", stackType, ipv6AccessType }: Subnetwork): void {
  const wished = lastPart(config.Network);
  if (wished !== lastPart(network)) {
    if (wished !== "default")
      throw new MachineError("driver-options", `The subnet ${name} is of the network ${lastPart(network)}, not of ${wished}`, {
        hint: `Give --google-network ${lastPart(network)}, or another --google-subnetwork.`,
      });
    config.Network = network.slice(Math.max(0, network.indexOf("projects/")));
  }
  if (config.IPv6 && (stackType !== "IPV4_IPV6" || ipv6AccessType !== "EXTERNAL"))
    throw new MachineError("driver-options", `The subnet ${name} has no external IPv6 addresses`, {
      hint: "Name a dual-stack one with --google-subnetwork, or leave --google-ipv6 out.",
    });
}

interface Address {
  readonly address: string;
  readonly status?: string | undefined;
  readonly users?: readonly string[] | undefined;
}

const ipv4 = /^\d{1,3}(?:\.\d{1,3}){3}$/u;

/** The address itself, or the name of one that the region has. */
export async function resolveAddress({ api, config, context }: Workplace, signal: AbortSignal): Promise<string> {
  const given = config.Address;
  if (given === "" || ipv4.test(given)) return given;
  const region = regionOf(config);
  const found = await api.find<Address>(`/regions/${region}/addresses/${lastPart(given)}`, signal);
  if (found === undefined)
    throw new MachineError("provider-not-found", `There is no static address ${given} in the region ${region}`, {
      hint: `Reserve one: gcloud compute addresses create ${lastPart(given)} --region ${region}`,
    });
  if (found.status === "IN_USE" && (found.users ?? []).length > 0)
    throw new MachineError("provider-exists", `The static address ${given} is used by ${lastPart(found.users?.[0] ?? "")}`, {
      hint: "Give another with --google-address, or release it there.",
    });
  logTo(context.report, "debug", `The static address ${given} is ${found.address}`);
  return found.address;
}
