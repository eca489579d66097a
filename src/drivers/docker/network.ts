/**
 * The network of our machines on an engine, and the addresses in it. A container's address lasts only where it was
 * asked for, and may be asked for only in a network whose range was given, so the range is taken from what the engine
 * itself would choose.
 */
import { isApiError, type EngineApi } from "../../engine/engine-api.ts";
import { MachineError } from "../../errors/machine-error.ts";

export const ownNetwork = "docker-machine";
/** Label with the address that a machine keeps, also while it is stopped and the engine has forgotten it. */
export const addressLabel = "docker-machine.address";

const attempts = 5;

/** What GET /networks/NAME says, as far as it is read; older engines say less. */
interface NetworkFacts {
  readonly Id: string;
  readonly Driver?: string;
  readonly Scope?: string;
  readonly Attachable?: boolean;
  readonly Ingress?: boolean;
  readonly ConfigOnly?: boolean;
  readonly EnableIPv4?: boolean;
  readonly IPAM: { readonly Config?: readonly { readonly Subnet?: string; readonly IPRange?: string }[] | null };
}

/** Drivers whose networks are no networks of containers. */
const shared: readonly string[] = ["host", "null"];

/** Throws `driver-options` for a network that the user named and that no machine can be in. */
export async function requireNetwork(api: EngineApi, name: string, signal: AbortSignal): Promise<void> {
  const network = await findNetwork(api, name, signal);
  const hint = "See docker network ls, or leave --docker-network out.";
  if (network === undefined)
    throw new MachineError("driver-options", `The engine has no network ${JSON.stringify(name)}`, { hint });
  const problem = problemOf(network);
  if (problem !== undefined)
    throw new MachineError("driver-options", `No machine can be in the network ${name}: ${problem}`, { hint });
}

function problemOf({ Driver, ConfigOnly, Scope, Attachable, Ingress, EnableIPv4 }: NetworkFacts): string | undefined {
  if (shared.includes(Driver ?? "")) return "it gives containers no network of their own";
  if (ConfigOnly === true) return "it is only a configuration for others";
  if (Ingress === true || (Scope === "swarm" && Attachable !== true)) return "only services of the swarm may be in it";
  return EnableIPv4 === false ? "it has no IPv4 addresses" : undefined;
}

/** The network's range, from which the upper half is ours to give out. Makes the network if there is none. */
export async function ensureNetwork(api: EngineApi, signal: AbortSignal): Promise<string> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const known = await findNetwork(api, ownNetwork, signal);
    if (known !== undefined) return subnetOf(known);
    const subnet = await proposeSubnet(api, signal);
    await createNetwork(api, { Subnet: subnet, IPRange: lowerHalf(subnet) }, ownNetwork, signal).catch((error: unknown) => {
      // 403: the range was taken meanwhile; 409: somebody else made the network.
      if (!isApiError(error, 403) && !isApiError(error, 409)) throw error;
    });
  }
  throw new MachineError("provider-error", `The engine has no room for the network ${ownNetwork}`, {
    hint: "Remove unused networks: docker network prune",
  });
}

async function findNetwork(api: EngineApi, name: string, signal: AbortSignal): Promise<NetworkFacts | undefined> {
  try {
    return (await api.send("GET", `/networks/${encodeURIComponent(name)}`, { signal })) as NetworkFacts;
  } catch (error) {
    if (isApiError(error, 404)) return undefined;
    throw error;
  }
}

function subnetOf(network: NetworkFacts): string {
  const subnet = network.IPAM.Config?.find((range) => range.Subnet?.includes(".") ?? false)?.Subnet;
  if (subnet !== undefined) return subnet;
  throw new MachineError("provider-error", `The engine's network ${ownNetwork} has no IPv4 range`, {
    hint: `Remove it: docker network rm ${ownNetwork}`,
  });
}

/** What the engine chooses for a network made without a range; that one is removed again. */
async function proposeSubnet(api: EngineApi, signal: AbortSignal): Promise<string> {
  const id = await createNetwork(api, undefined, `${ownNetwork}-probe-${process.pid}`, signal);
  try {
    return subnetOf((await api.send("GET", `/networks/${id}`, { signal })) as NetworkFacts);
  } finally {
    await api.send("DELETE", `/networks/${id}`, { signal });
  }
}

async function createNetwork(api: EngineApi, range: object | undefined, name: string, signal: AbortSignal): Promise<string> {
  const body = {
    Name: name,
    Driver: "bridge",
    Labels: { "docker-machine.network": "own" },
    ...(range === undefined ? {} : { IPAM: { Config: [range] } }),
  };
  return ((await api.send("POST", "/networks/create", { body, signal })) as { Id: string }).Id;
}

/** Removes the network when the last machine is gone; while there is another the engine refuses, and rightly. */
export async function removeUnusedNetwork(api: EngineApi, signal: AbortSignal): Promise<void> {
  if ((await takenAddresses(api, signal)).size > 0) return;
  await api.send("DELETE", `/networks/${ownNetwork}`, { signal }).catch((error: unknown) => {
    if (!isApiError(error, 403) && !isApiError(error, 404) && !isApiError(error, 409)) throw error;
  });
}

/** An address of the upper half that no machine has and that was not refused. */
export async function pickAddress(
  api: EngineApi,
  subnet: string,
  refused: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<string> {
  const taken = await takenAddresses(api, signal);
  const { first, last } = upperHalf(subnet);
  for (let number = first; number <= last; number++) {
    const address = formatIpv4(number);
    if (!taken.has(address) && !refused.has(address)) return address;
  }
  throw new MachineError("provider-error", `The network ${ownNetwork} (${subnet}) has no free address left`);
}

async function takenAddresses(api: EngineApi, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const query = { all: "true", filters: JSON.stringify({ label: [addressLabel] }) };
  const containers = (await api.send("GET", "/containers/json", { query, signal })) as readonly {
    Labels: Record<string, string>;
  }[];
  return new Set(containers.map((container) => container.Labels[addressLabel] ?? ""));
}

function parseRange(subnet: string): { readonly base: number; readonly bits: number } {
  const [address = "", bits = "0"] = subnet.split("/");
  const base = address.split(".").reduce((value, part) => value * 256 + Number(part), 0);
  return { base, bits: Number(bits) };
}

/** The half from which the engine gives addresses to whoever does not ask for one. */
export function lowerHalf(subnet: string): string {
  const { base, bits } = parseRange(subnet);
  return `${formatIpv4(base)}/${bits + 1}`;
}

/** First and last address that may be given out: those that end in zeros and ones look like what they are not. */
export function upperHalf(subnet: string): { readonly first: number; readonly last: number } {
  const { base, bits } = parseRange(subnet);
  const size = 2 ** (32 - bits);
  return { first: base + size / 2 + 1, last: base + size - 2 };
}

export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}
