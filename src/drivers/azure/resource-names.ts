/**
 * What a machine is made of at Azure: kinds, types, API versions, and identifiers, which follow from names: those of
 * 0.16.2, so that either finds what the other made. No I/O.
 */

/** Kinds as the ledger and `findResources` name them. */
export const kinds = {
  instance: "instance",
  nic: "network-interface",
  address: "public-address",
  disk: "disk",
  firewall: "security-group",
  set: "availability-set",
  subnet: "subnet",
  network: "virtual-network",
  group: "resource-group",
} as const;

export type Kind = (typeof kinds)[keyof typeof kinds];

/** Provider and type of each kind that has one, and the version of the API it is asked by. */
export const types: Readonly<Record<Exclude<Kind, "resource-group">, { readonly type: string; readonly version: string }>> = {
  instance: { type: "Microsoft.Compute/virtualMachines", version: "2024-07-01" },
  "network-interface": { type: "Microsoft.Network/networkInterfaces", version: "2024-05-01" },
  "public-address": { type: "Microsoft.Network/publicIPAddresses", version: "2024-05-01" },
  disk: { type: "Microsoft.Compute/disks", version: "2024-03-02" },
  "security-group": { type: "Microsoft.Network/networkSecurityGroups", version: "2024-05-01" },
  "availability-set": { type: "Microsoft.Compute/availabilitySets", version: "2024-07-01" },
  subnet: { type: "Microsoft.Network/virtualNetworks/subnets", version: "2024-05-01" },
  "virtual-network": { type: "Microsoft.Network/virtualNetworks", version: "2024-05-01" },
};

export const groupVersion = "2021-04-01";
export const computeVersion = "2024-07-01";
export const networkVersion = "2024-05-01";

export function versionOf(kind: Kind): string {
  return kind === "resource-group" ? groupVersion : types[kind].version;
}

/** The tag of what several machines share, and which goes with the last of them. */
export const sharedTag = { "docker-machine": "shared" } as const;

interface Owner {
  readonly SubscriptionID: string;
  readonly ResourceGroup: string;
}

function groupId({ SubscriptionID, ResourceGroup }: Owner): string {
  return `/subscriptions/${SubscriptionID}/resourceGroups/${encodeURIComponent(ResourceGroup)}`;
}

/** The identifier of something in a group, and the path it is asked by. */
export function idOf(owner: Owner, kind: Exclude<Kind, "resource-group" | "subnet">, name: string): string {
  return `${groupId(owner)}/providers/${types[kind].type}/${encodeURIComponent(name)}`;
}

export interface Ids {
  readonly group: string;
  readonly instance: string;
  readonly nic: string;
  readonly address: string;
  readonly disk: string;
  /** Ours, also where the user's group is used. */
  readonly firewall: string;
  readonly set: string;
  /** The group that the network is in: `--azure-vnet GROUP:NAME` names another than the machine's. */
  readonly networkGroup: string;
  readonly network: string;
  readonly subnet: string;
}

interface Named extends Owner {
  readonly MachineName: string;
  readonly OsDiskName: string;
  readonly AvailabilitySet: string;
  readonly VirtualNetwork: string;
  readonly SubnetName: string;
}

export function idsOf(config: Named): Ids {
  const { MachineName: name } = config;
  const at = config.VirtualNetwork.indexOf(":");
  const networkOwner = at === -1 ? config : { ...config, ResourceGroup: config.VirtualNetwork.slice(0, at) };
  const network = idOf(networkOwner, kinds.network, config.VirtualNetwork.slice(at + 1));
  return {
    group: groupId(config),
    instance: idOf(config, kinds.instance, name),
    nic: idOf(config, kinds.nic, `${name}-nic`),
    address: idOf(config, kinds.address, `${name}-ip`),
    disk: idOf(config, kinds.disk, config.OsDiskName),
    firewall: idOf(config, kinds.firewall, `${name}-firewall`),
    set: idOf(config, kinds.set, config.AvailabilitySet),
    networkGroup: groupId(networkOwner),
    network,
    subnet: `${network}/subnets/${encodeURIComponent(config.SubnetName)}`,
  };
}

/** The kind of something that a list of the resource manager tells; undefined for what no machine is made of. */
export function kindOfType(type: string): Kind | undefined {
  const found = Object.entries(types).find(([, one]) => one.type.toLowerCase() === type.toLowerCase());
  return found?.[0] as Kind | undefined;
}

export function sameId(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

/** Notes of a ledger for a record of another tool, which names nothing but the machine and its group. */
export function madeByOthers(stored: Readonly<Record<string, unknown>>): readonly string[] {
  const { MachineName: name, SubscriptionID, ResourceGroup } = stored;
  const isWhole = [name, SubscriptionID, ResourceGroup].every((part) => typeof part === "string" && part !== "");
  if (!isWhole) return [];
  const owner = { SubscriptionID: String(SubscriptionID), ResourceGroup: String(ResourceGroup) };
  const made = [
    [kinds.firewall, `${String(name)}-firewall`],
    [kinds.address, `${String(name)}-ip`],
    [kinds.nic, `${String(name)}-nic`],
    [kinds.instance, String(name)],
  ] as const;
  return made.map(([kind, own]) => `${kind}=${idOf(owner, kind, own)}`);
}
