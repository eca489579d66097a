/** What a VM is made of: its sizes, disk, network cards and settings, as specifications for creating and changing it. */
import { requireMark } from "../../driver-kit/marks.ts";
import { type Properties, requireRef } from "./api/answers.ts";
import { anyString, leaf, replaced, typed, type Ref, type Typed, type Wire } from "./api/wire.ts";
import { childOf, childrenOf, textOf, type XmlElement } from "./api/xml.ts";
import { schema } from "./api/schema.ts";
import { readFileIfExists } from "../../system/files.ts";
import { isUrl, pairOf, type VsphereConfig } from "./options.ts";
import { refFrom, type Workplace } from "./workplace.ts";

/** Known to every vSphere; what is special about newer kinds of guest is nothing that these machines need. */
const guestId = "otherLinux64Guest";
const kib = 1024;

export interface DiskVmWish {
  readonly name: string;
  /** The datastore's name. */
  readonly datastore: string;
  readonly capacityBytes: number;
  readonly cpus: number;
  readonly memoryMB: number;
  readonly instanceUuid: string;
  readonly annotation: string;
  readonly extraConfig: readonly Typed[];
}

/** Keys of devices that are yet to be made are negative. */
export const newDiskKey = -102;

/** A new disk, thin, behind a paravirtual controller. */
export function newDisk(capacityInKB: number): { readonly changes: readonly Typed[]; readonly backing: Typed } {
  const controller = typed("ParaVirtualSCSIController", { key: -101, busNumber: 0, sharedBus: "noSharing" });
  const backing = typed("VirtualDiskFlatVer2BackingInfo", { fileName: "", diskMode: "persistent", thinProvisioned: true });
  const disk = typed("VirtualDisk", { key: newDiskKey, backing, controllerKey: -101, unitNumber: 0, capacityInKB });
  return { changes: [change("add", controller), change("add", disk, "create")], backing };
}

/** A VM with one disk of its own, and no cards yet. */
export function diskVm(wish: DiskVmWish): Typed {
  const { name, instanceUuid, annotation, extraConfig, memoryMB } = wish;
  return typed("VirtualMachineConfigSpec", {
    ...{ name, instanceUuid, guestId, annotation, memoryMB, extraConfig },
    files: typed("VirtualMachineFileInfo", { vmPathName: `[${wish.datastore}]` }),
    numCPUs: wish.cpus,
    deviceChange: newDisk(Math.ceil(wish.capacityBytes / kib)).changes,
  });
}

export function change(operation: "add" | "edit" | "remove", device: Wire, fileOperation?: "create"): Typed {
  return typed("VirtualDeviceConfigSpec", { operation, fileOperation, device });
}

/** Notes of the VM, by which people know it, and we one that has no UUID of ours yet. */
export function annotationOf({ context }: Workplace): string {
  return `docker-machine ${context.machineName} (create ${requireMark(context.createId).id})`;
}

/** The mark, and what the user wants in the VM's settings. */
export async function settings({ config, context }: Workplace): Promise<readonly Typed[]> {
  const { setting } = requireMark(context.createId);
  const own = [
    [setting.key, setting.value],
    ["disk.enableUUID", "TRUE"],
  ] as const;
  const given = config.CfgParams.map(pairOf);
  return [...own, ...(await coreOsSettings(config.CloudInit)), ...given].map(([key, value]) => option(key, value));
}

export function option(key: string, value: string): Typed {
  return typed("OptionValue", { key, value: anyString(value) });
}

/** As 0.16.2 sets them. */
async function coreOsSettings(cloudInit: string): Promise<readonly (readonly [string, string])[]> {
  if (cloudInit === "") return [];
  if (isUrl(cloudInit)) return [["guestinfo.cloud-init.config.url", cloudInit]];
  const data = (await readFileIfExists(cloudInit))?.toString("base64") ?? "";
  return [
    ["guestinfo.cloud-init.config.data", data],
    ["guestinfo.cloud-init.data.encoding", "base64"],
  ];
}

export function devicesOf(properties: Properties): readonly XmlElement[] {
  return childrenOf(properties.get("config.hardware.device"), "VirtualDevice");
}

const cardTypes: ReadonlySet<string> = new Set([
  ...[
    "VirtualE1000",
    "VirtualE1000e",
    "VirtualPCNet32",
    "VirtualVmxnet",
    "VirtualVmxnet2",
    "VirtualVmxnet3",
    "VirtualVmxnet3Vrdma",
  ],
  "VirtualSriovEthernetCard",
]);

function isCard({ xsiType }: XmlElement): boolean {
  return cardTypes.has(xsiType ?? "");
}

export function isDisk({ xsiType }: XmlElement): boolean {
  return xsiType === "VirtualDisk";
}

/** What tells a disk from others, wherever it is attached: its UUID, else its file. */
export function diskIdentity(disk: XmlElement): string {
  const uuid = textOf(disk, "backing", "uuid");
  return uuid === "" ? textOf(disk, "backing", "fileName") : uuid;
}

/** The cards that are there make way for one on each of the networks. */
export async function cardChanges(
  place: Workplace,
  devices: readonly XmlElement[],
  signal: AbortSignal,
): Promise<readonly Typed[]> {
  const removed = devices.filter(isCard).map((card) => change("remove", card));
  const backings = await Promise.all(place.config.NetworkRefs.map(async (text) => await backingOf(place, refFrom(text), signal)));
  const added = backings.map((backing, index) => {
    const connectable = typed("VirtualDeviceConnectInfo", { startConnected: true, allowGuestControl: true, connected: true });
    const card = { key: -201 - index, backing, connectable, addressType: "generated", wakeOnLanEnabled: true };
    return change("add", typed("VirtualVmxnet3", card));
  });
  return [...removed, ...added];
}

/** What a card is plugged into: a host's network, a port group of a distributed switch, one of NSX. */
async function backingOf({ api }: Workplace, network: Ref, signal: AbortSignal): Promise<Typed> {
  if (network.type === "DistributedVirtualPortgroup") {
    const found = await api.properties(network, ["key", "config.distributedVirtualSwitch"], signal);
    const onSwitch = requireRef(found?.get("config.distributedVirtualSwitch"));
    const switchUuid = (await api.properties(onSwitch, ["uuid"], signal))?.get("uuid")?.text ?? "";
    const port = typed("DistributedVirtualSwitchPortConnection", { switchUuid, portgroupKey: found?.get("key")?.text });
    return typed("VirtualEthernetCardDistributedVirtualPortBackingInfo", { port });
  }
  if (network.type === "OpaqueNetwork") {
    const summary = (await api.properties(network, ["summary"], signal))?.get("summary");
    const [opaqueNetworkId, opaqueNetworkType] = [textOf(summary, "opaqueNetworkId"), textOf(summary, "opaqueNetworkType")];
    return typed("VirtualEthernetCardOpaqueNetworkBackingInfo", { opaqueNetworkId, opaqueNetworkType });
  }
  const deviceName = (await api.properties(network, ["name"], signal))?.get("name")?.text ?? "";
  return typed("VirtualEthernetCardNetworkBackingInfo", { deviceName, network });
}

/** The first disk, as large as was asked for; disks only grow. The device is told as it was read, but for its size. */
export function growth(devices: readonly XmlElement[], wantedMiB: number): readonly Typed[] {
  const disk = devices.find(isDisk);
  const wantedKiB = wantedMiB * kib;
  if (disk === undefined || Number(textOf(disk, "capacityInKB")) >= wantedKiB) return [];
  const grown = replaced(
    disk,
    { capacityInKB: leaf("capacityInKB", String(wantedKiB)), capacityInBytes: undefined },
    schema.VirtualDisk,
  );
  return [change("edit", grown)];
}

/** Rancher's: what the OVF environment tells the guest. Properties that the template has are set, others are added. */
export function vAppConfig(config: VsphereConfig, current: XmlElement | undefined): Typed | undefined {
  const { VAppIpProtocol, VAppIpAllocationPolicy, VAppTransport, VAppProperties } = config;
  if (VAppIpProtocol === "" && VAppIpAllocationPolicy === "" && VAppTransport === "" && VAppProperties.length === 0)
    return undefined;
  const known = new Map(childrenOf(current, "property").map((one) => [textOf(one, "id"), Number(textOf(one, "key"))]));
  let next = Math.max(-1, ...known.values());
  const property = VAppProperties.map(pairOf).map(([id, value]) => {
    const key = known.get(id);
    const info = key === undefined ? { key: (next += 1), id, type: "string", value, userConfigurable: true } : { key, value };
    return typed("VAppPropertySpec", { operation: key === undefined ? "add" : "edit", info: typed("VAppPropertyInfo", info) });
  });
  const policy = {
    ipAllocationPolicy: orNothing(VAppIpAllocationPolicy.replace(/(?<=\w)(?:Policy)?$/u, "Policy")),
    ipProtocol: orNothing(VAppIpProtocol),
  };
  const scheme = {
    supportedAllocationScheme: ["dhcp", "ovfenv"],
    ...policy,
    supportedIpProtocol: orNothing(VAppIpProtocol),
  };
  const ipAssignment = VAppIpProtocol === "" && VAppIpAllocationPolicy === "" ? undefined : typed("VAppIPAssignmentInfo", scheme);
  return typed("VmConfigSpec", { property, ipAssignment, ovfEnvironmentTransport: orNothing(VAppTransport) });
}

function orNothing(text: string): string | undefined {
  return text === "" ? undefined : text;
}

/** The cards' hardware addresses, those of the networks we added them for, in their order. */
export function macAddresses(devices: readonly XmlElement[]): string[] {
  return devices.filter(isCard).map((card) => textOf(childOf(card, "macAddress")).toLowerCase());
}
