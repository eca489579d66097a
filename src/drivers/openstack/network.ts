/** Neutron's networks: the one the machine is on, the pool of floating addresses, and the port between. */
import { MachineError } from "../../errors/machine-error.ts";
import { someOf } from "./flavor.ts";
import { openStackOptions } from "./options.ts";
import type { Workplace } from "./workplace.ts";

/** https://docs.openstack.org/api-ref/network/v2/#networks */
export interface Network {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly admin_state_up: boolean;
  readonly shared: boolean;
  readonly subnets: readonly string[];
  readonly "router:external"?: boolean | undefined;
}

interface Subnet {
  readonly id: string;
  readonly ip_version: number;
}

export interface Port {
  readonly id: string;
  readonly network_id: string;
}

const { flagOf } = openStackOptions;

/** Takes network and pool into the record. In 0.16.2's words where it had some. */
export async function resolveNetworks(place: Workplace, signal: AbortSignal): Promise<void> {
  const { api, config } = place;
  const networks = await api.list<Network>("network", "/networks", "networks", {}, signal);
  const network = requireNetwork(place, networks);
  if (network.subnets.length === 0)
    throw new MachineError("provider-invalid", `The network ${network.name} has no subnet, so the machine would get no address`, {
      hint: `Add one (openstack subnet create), or choose another ${flagOf("NetworkName")}.`,
    });
  await checkVersion(place, network, signal);
  config.NetworkId = network.id;
  config.NetworkName = network.name;
  if (config.FloatingIpPool !== "") config.FloatingIpPoolId = requirePool(config.FloatingIpPool, networks).id;
}

function requireNetwork({ config }: Workplace, networks: readonly Network[]): Network {
  const choice = `Choose one of ${someOf(networks.filter(isUsable).map(({ name }) => name))} with ${flagOf("NetworkName")}.`;
  if (config.NetworkId !== "" || config.NetworkName !== "") {
    const named = networks.filter(({ id, name }) =>
      config.NetworkId === "" ? name === config.NetworkName : id === config.NetworkId,
    );
    const usable = named.length > 1 ? named.filter(isUsable) : named;
    const [network] = usable;
    if (network !== undefined && usable.length === 1) return network;
    if (named.length > 1)
      throw new MachineError("driver-options", `There are ${named.length} networks named ${config.NetworkName}`, {
        hint: `Choose by id: ${flagOf("NetworkId")} ${named.map(({ id }) => id).join(", or ")}.`,
      });
    const wanted = config.NetworkId === "" ? `named ${config.NetworkName}` : `with the id ${config.NetworkId}`;
    throw new MachineError("provider-not-found", `Unable to find network ${wanted}`, { hint: choice });
  }
  const usable = networks.filter(isUsable);
  const [network] = usable;
  if (network !== undefined && usable.length === 1) return network;
  const problem = usable.length === 0 ? "The project has no network" : "The project has several networks, and none is chosen";
  throw new MachineError("driver-options", problem, {
    hint: usable.length === 0 ? "Make one: openstack network create, and a subnet." : choice,
  });
}

/** Machines may stand there. External ones are for floating addresses, unless they are named. */
function isUsable(network: Network): boolean {
  return network.admin_state_up && network.subnets.length > 0 && network["router:external"] !== true;
}

async function checkVersion({ api, config }: Workplace, network: Network, signal: AbortSignal): Promise<void> {
  const subnets = await api.list<Subnet>("network", "/subnets", "subnets", { network_id: network.id }, signal);
  // Of a network of others the subnets may not be shown.
  if (subnets.length === 0 || subnets.some(({ ip_version: version }) => version === config.IpVersion)) return;
  throw new MachineError("provider-unsupported", `The network ${network.name} has no addresses of IPv${config.IpVersion}`, {
    hint: `Choose another ${flagOf("NetworkName")}, or ${flagOf("IpVersion")} ${config.IpVersion === 4 ? 6 : 4}.`,
  });
}

function requirePool(name: string, networks: readonly Network[]): Network {
  const pools = networks.filter((network) => network["router:external"] === true);
  const pool = pools.find((network) => network.name === name || network.id === name);
  if (pool !== undefined) return pool;
  throw new MachineError("provider-not-found", `Unable to find network named ${name}`, {
    hint: `A pool of floating IPs is an external network; choose one of ${someOf(pools.map((each) => each.name))} with ${flagOf("FloatingIpPool")}.`,
  });
}

/** Where the server is on its network; undefined while Nova has not given it a port. */
export async function portOf({ api, config }: Workplace, signal: AbortSignal): Promise<Port | undefined> {
  const ports = await api.list<Port>("network", "/ports", "ports", { device_id: config.MachineId }, signal);
  return ports.find(({ network_id: network }) => network === config.NetworkId) ?? ports[0];
}
