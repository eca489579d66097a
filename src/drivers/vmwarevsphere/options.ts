/** What a vSphere machine is: the options, the record they become, and records of other tools. No I/O but the reading of files that are named. */
import * as path from "node:path";
import type { Upgrade } from "../../driver-kit/builtin-driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { absoluteFile, wrongOptions } from "../../driver-kit/given-options.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import { imageSourceOf, recordImage } from "../../driver-kit/images/image-options.ts";
import type { ImageSource } from "../../driver-kit/images/image-source.ts";
import { bool, defineOptions, int, list, port, secret, text, userName, type ConfigOf } from "../../driver-kit/options.ts";
import type { ProviderConfig } from "../../driver-kit/provider-driver.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Computer } from "../../system/computer.ts";

export const driverName = "vmwarevsphere";

/** How a machine comes about; "" is settled by what else is given. */
export type CreationType = "image" | "template" | "vm" | "library" | "legacy";

const creationTypes = ["image", "template", "vm", "library", "legacy"] as const;
const name80 = { pattern: /^.{1,80}$/u, wanted: "a name of at most 80 characters" };

/** Flags and variables of 0.16.2, then of Rancher's fork, then ours. The fields are theirs where they have one. */
export const vsphereOptions = defineOptions(driverName, {
  CPU: int("cpu-count", {
    usage: "vSphere CPU number for docker VM",
    envVar: "VSPHERE_CPU_COUNT",
    value: 2,
    atLeast: 1,
    atMost: 768,
  }),
  Memory: int("memory-size", {
    usage: "vSphere size of memory for docker VM (in MB)",
    envVar: "VSPHERE_MEMORY_SIZE",
    value: 2048,
    atLeast: 512,
  }),
  DiskSize: int("disk-size", {
    usage: "vSphere size of disk for docker VM (in MB)",
    envVar: "VSPHERE_DISK_SIZE",
    value: 20_480,
    atLeast: 1,
  }),
  Boot2DockerURL: text("boot2docker-url", {
    usage: "vSphere URL for boot2docker image: a CD to boot instead of a disk image",
    envVar: "VSPHERE_BOOT2DOCKER_URL",
  }),
  IP: text("vcenter", { usage: "vSphere IP/hostname for vCenter, or an ESXi host", envVar: "VSPHERE_VCENTER" }),
  Port: port("vcenter-port", {
    usage: "vSphere Port for vCenter",
    envVar: "VSPHERE_VCENTER_PORT",
    value: 443,
  }),
  Username: text("username", { usage: "vSphere username", envVar: "VSPHERE_USERNAME" }),
  Password: secret("password", { usage: "vSphere password", envVar: "VSPHERE_PASSWORD" }),
  Networks: list("network", {
    usage: "vSphere network where the docker VM will be attached; may be repeated",
    envVar: "VSPHERE_NETWORK",
  }),
  Datastore: text("datastore", { usage: "vSphere datastore for docker VM", envVar: "VSPHERE_DATASTORE" }),
  Datacenter: text("datacenter", { usage: "vSphere datacenter for docker VM", envVar: "VSPHERE_DATACENTER" }),
  Folder: text("folder", {
    usage: "vSphere folder for the docker VM. This folder must already exist in the datacenter",
    envVar: "VSPHERE_FOLDER",
  }),
  Pool: text("pool", { usage: "vSphere resource pool or cluster for docker VM", envVar: "VSPHERE_POOL" }),
  HostSystem: text("hostsystem", {
    usage: "vSphere compute resource where the docker VM will be instantiated",
    envVar: "VSPHERE_HOSTSYSTEM",
  }),
  CfgParams: list("cfgparam", {
    usage: "vSphere vm configuration parameters (used for guestinfo): KEY=VALUE",
    envVar: "VSPHERE_CFGPARAM",
  }),
  CloudInit: text("cloudinit", {
    usage: "vSphere cloud-init file or url to set in the guestinfo, as CoreOS and RancherOS read it",
    envVar: "VSPHERE_CLOUDINIT",
  }),
  DatastoreCluster: text("datastore-cluster", {
    usage: "vSphere datastore cluster, of which vSphere recommends a datastore",
    envVar: "VSPHERE_DATASTORE_CLUSTER",
  }),
  CloudConfigFile: text("cloud-config", { usage: "path to file with cloud-init user-data", envVar: "VSPHERE_CLOUD_CONFIG" }),
  CreationType: text("creation-type", {
    usage: "How the VM is made: image, template, vm, library or legacy (a boot2docker CD); told by what else is given when empty",
    envVar: "VSPHERE_CREATION_TYPE",
    oneOf: creationTypes,
  }),
  CloneFrom: text("clone-from", { usage: "VM or template to clone, or item of the library", envVar: "VSPHERE_CLONE_FROM" }),
  ContentLibrary: text("content-library", {
    usage: "content library that has the item to deploy",
    envVar: "VSPHERE_CONTENT_LIBRARY",
  }),
  SSHUser: text("ssh-user", {
    usage: "SSH username",
    envVar: "VSPHERE_SSH_USER",
    value: "docker",
    matches: userName,
  }),
  SSHPassword: text("ssh-password", {
    usage: "accepted and of no effect: machines are logged in to by keys",
    envVar: "VSPHERE_SSH_PASSWORD",
    value: "tcuser",
    secret: false,
  }),
  SSHPort: port("ssh-port", { usage: "SSH port", envVar: "VSPHERE_SSH_PORT", value: guestSshPort }),
  SSHUserGroup: text("ssh-user-group", {
    usage: "accepted and of no effect: the user's group has its name",
    envVar: "VSPHERE_SSH_USER_GROUP",
    value: "staff",
  }),
  VAppIpProtocol: text("vapp-ipprotocol", {
    usage: "vSphere vApp IP protocol for this deployment: IPv4 or IPv6",
    envVar: "VSPHERE_VAPP_IPPROTOCOL",
    oneOf: ["IPv4", "IPv6"],
  }),
  VAppIpAllocationPolicy: text("vapp-ipallocationpolicy", {
    usage: "vSphere vApp IP allocation policy: dhcp, fixed, transient or fixedAllocated",
    envVar: "VSPHERE_VAPP_IPALLOCATIONPOLICY",
    matches: {
      pattern: /^(?:dhcp|fixed|transient|fixedAllocated)(?:Policy)?$/u,
      wanted: "dhcp, fixed, transient or fixedAllocated",
    },
  }),
  VAppTransport: text("vapp-transport", {
    usage: "vSphere OVF environment transport: iso or com.vmware.guestInfo",
    envVar: "VSPHERE_VAPP_TRANSPORT",
    oneOf: ["iso", "com.vmware.guestInfo"],
  }),
  VAppProperties: list("vapp-property", { usage: "vSphere vApp property: KEY=VALUE", envVar: "VSPHERE_VAPP_PROPERTY" }),
  OS: text("os", {
    usage: "accepted for linux; Windows guests cannot be Docker hosts here",
    envVar: "VSPHERE_OS",
    value: "linux",
    oneOf: ["linux"],
  }),
  Tags: list("tag", { usage: "vSphere tag id, such as urn:vmomi:InventoryServiceTag:…:GLOBAL", envVar: "VSPHERE_TAG" }),
  CustomAttributes: list("custom-attribute", {
    usage: "vSphere custom attribute: KEY=VALUE, the key being its number",
    envVar: "VSPHERE_CUSTOM_ATTRIBUTE",
  }),
  GracefulShutdownTimeout: int("graceful-shutdown-timeout", {
    usage:
      "seconds that the guest may take to shut down before it is switched off, on stop (120 when 0) and on rm (at once when 0)",
    envVar: "VSPHERE_GRACEFUL_SHUTDOWN_TIMEOUT",
    atLeast: 0,
    atMost: 86_400,
  }),
  Image: text("image", {
    usage: "Disk the machine starts from: default (Debian's cloud image), a qcow2 or raw file, or an https address",
    envVar: "VSPHERE_IMAGE",
    value: "default",
  }),
  ImageChecksum: text("image-checksum", {
    usage: "checksum of an image that is downloaded: sha256:HEX, sha512:HEX, or the address of a list",
    envVar: "VSPHERE_IMAGE_CHECKSUM",
  }),
  ImageRefresh: bool("image-refresh", { usage: "ask again what the image's address has now" }),
  Seed: text("seed", {
    usage: "How the guest is told what it is: iso (a CD, any image) or guestinfo (images with VMware Tools)",
    envVar: "VSPHERE_SEED",
    value: "iso",
    oneOf: ["iso", "guestinfo"],
  }),
  Customization: text("customization", {
    usage: "vSphere customization specification to apply to a clone",
    envVar: "VSPHERE_CUSTOMIZATION",
  }),
  TlsCaCert: text("tls-ca-cert", {
    usage: "file with the certificates (PEM) of the authority that signed vCenter's",
    envVar: "VSPHERE_TLS_CA_CERT",
  }),
  TlsThumbprint: text("tls-thumbprint", {
    usage: "SHA-256 or SHA-1 fingerprint of vCenter's certificate, the only one that is believed then",
    envVar: "VSPHERE_TLS_THUMBPRINT",
    matches: {
      pattern: /^(?:[0-9a-f]{2}:?){19}(?:(?:[0-9a-f]{2}:?){12})?[0-9a-f]{2}$/iu,
      wanted: "a SHA-256 or SHA-1 fingerprint",
    },
  }),
  Insecure: bool("insecure", { usage: "believe whoever answers, as 0.16.2 did", envVar: "VSPHERE_INSECURE" }),
});

/** What `preCreateCheck` found, as managed objects' ids: a repeated create goes to the same places. */
export interface Places {
  DatacenterRef: string;
  /** Its inventory path, by which files are addressed. */
  DatacenterPath: string;
  FolderRef: string;
  /** The folder's inventory path. */
  FolderPath: string;
  PoolRef: string;
  /** "" where vSphere chooses. */
  HostRef: string;
  /** "" while a cluster of datastores is to recommend one. */
  DatastoreRef: string;
  DatastoreName: string;
  PodRef: string;
  /** `TYPE VALUE`, in the order of `Networks`. */
  NetworkRefs: string[];
  /** What is cloned: `TYPE VALUE`, or the item of a library. */
  SourceRef: string;
}

export const sizeFlags = { cpus: "vmwarevsphere-cpu-count", memoryMiB: "vmwarevsphere-memory-size" } as const;

export interface VsphereConfig extends ProviderConfig, ConfigOf<typeof vsphereOptions>, Places {
  ISO: string;
  /** 0.16.2's, which is always 2. */
  CPUS: number;
  /** The first of the networks. */
  Network: string;
  /** Rancher's: the VM's BIOS UUID. */
  MachineId: string;
  /** By which this create's VM is known; the same for each attempt. */
  InstanceUuid: string;
  /** Its managed object's id, while it is registered at this vCenter. */
  VmRef: string;
  /** Of the image's bytes. */
  ImageDigest: string;
  /** `TYPE VALUE` of a lease under way. */
  LeaseRef: string;
  /** What has been done to the VM: "" nothing, `made`, `equipped`. */
  Stage: string;
  /** What tells the VM's own disks from those that others attach: their UUIDs, or files. */
  OwnDisks: string[];
  /** Hardware addresses of the networks' cards, in their order. */
  MacAddresses: string[];
  /** Of older tools: the VM is known by its place alone. */
  KnownByPlace: boolean;
  /** Of older tools, which believed anyone: the first certificate that is met is pinned. */
  PinsOnFirstUse: boolean;
}

const { defaults, flagOf, read } = vsphereOptions;

/** The driver's own fields in 0.16.2's order; what it had not comes behind. */
export function newConfig(): Omit<VsphereConfig, keyof ProviderConfig> {
  const { SSHUser: _user, SSHPort: _port, ...options } = defaults();
  const { CPU, Memory, DiskSize, Boot2DockerURL, IP, Port, Username, Password, Networks, ...rest } = options;
  const { Datastore, Datacenter, Folder, Pool, HostSystem, CfgParams, CloudInit, SSHPassword, ...later } = rest;
  return {
    ...{ Memory, DiskSize, CPU, ISO: "", Boot2DockerURL, CPUS: 2, IP, Port, Username, Password, Network: "", Networks },
    ...{ Datastore, Datacenter, Folder, Pool, HostSystem, CfgParams, CloudInit, SSHPassword },
    MachineId: "",
    ...later,
    ...{ InstanceUuid: "", VmRef: "", DatacenterRef: "", DatacenterPath: "", FolderRef: "", FolderPath: "", PoolRef: "" },
    ...{ HostRef: "", DatastoreRef: "", DatastoreName: "", PodRef: "", NetworkRefs: [], SourceRef: "" },
    ...{ ImageDigest: "", LeaseRef: "", Stage: "", OwnDisks: [], MacAddresses: [] },
    ...{ KnownByPlace: false, PinsOnFirstUse: false },
  };
}

/** Of 0.16.2's record; what else ours has, it drops when it saves. */
const keysOf016: ReadonlySet<string> = new Set([
  ...["Memory", "DiskSize", "CPU", "ISO", "Boot2DockerURL", "CPUS", "IP", "Port", "Username", "Password", "Network", "Networks"],
  ...["Datastore", "Datacenter", "Folder", "Pool", "HostSystem", "CfgParams", "CloudInit", "SSHPassword"],
]);

export const newKeys: readonly string[] = [
  ...Object.keys(newConfig()).filter((key) => !keysOf016.has(key)),
  "Resources",
  "HostKeys",
];

/** Takes the flags. Throws `driver-options`. */
export function configure(config: VsphereConfig, options: DriverOptions, computer: Computer, machineDir: string): void {
  Object.assign(config, read(options));
  config.Folder = trimSlashes(config.Folder);
  config.TlsCaCert = absoluteFile(config.TlsCaCert, computer.cwd);
  config.CloudConfigFile = absoluteFile(config.CloudConfigFile, computer.cwd);
  if (config.CloudInit !== "" && !isUrl(config.CloudInit)) config.CloudInit = absoluteFile(config.CloudInit, computer.cwd);
  if (config.Networks.length === 0) config.Networks = ["VM Network"];
  config.Network = config.Networks[0] ?? "";
  config.ISO = path.join(machineDir, "boot2docker.iso");
  config.PinsOnFirstUse = computer.env["MACHINE_COMPAT"] === "0.16" && config.TlsThumbprint === "";
  requireGiven(config);
  config.CreationType = creationTypeOf(config);
  // A CD of old knows nothing of seeds.
  if (config.CreationType === "legacy") config.Seed = "none";
  recordImage(config, driverName, computer.cwd);
  requirePairs(config);
}

function requireGiven(config: VsphereConfig): void {
  for (const field of ["IP", "Username"] as const)
    if (config[field] === "")
      throw wrongOptions(
        `${driverName} driver requires the ${flagOf(field)} option`,
        `Give it, or set ${field === "IP" ? "VSPHERE_VCENTER" : "VSPHERE_USERNAME"}.`,
      );
  if (!name80.pattern.test(config.MachineName))
    throw wrongOptions(
      `vSphere takes no VM named "${config.MachineName}": it is longer than 80 characters`,
      `Name the machine ${config.MachineName.slice(0, 80)}.`,
    );
}

function creationTypeOf(config: VsphereConfig): CreationType {
  const { CreationType, Boot2DockerURL, ContentLibrary, CloneFrom } = config;
  const told = Boot2DockerURL !== "" ? "legacy" : ContentLibrary !== "" ? "library" : CloneFrom !== "" ? "template" : "image";
  const type = (CreationType === "" ? told : CreationType) as CreationType;
  if (type === "legacy" && Boot2DockerURL === "")
    throw wrongOptions(
      `${flagOf("CreationType")} legacy needs ${flagOf("Boot2DockerURL")}: boot2docker is published no more`,
      `Name a CD by ${flagOf("Boot2DockerURL")}, or leave both out for Debian's cloud image.`,
    );
  if ((type === "template" || type === "vm") && CloneFrom === "")
    throw wrongOptions(
      `creation type clone needs a VM name to clone from, use ${flagOf("CloneFrom")}`,
      `Give the template's name or inventory path by ${flagOf("CloneFrom")}.`,
    );
  if (type === "library" && (ContentLibrary === "" || CloneFrom === ""))
    throw wrongOptions(
      `creation type library needs ${flagOf("ContentLibrary")} and ${flagOf("CloneFrom")}`,
      "Give the library's name and its item's.",
    );
  if (config.Customization !== "" && type !== "template" && type !== "vm")
    throw wrongOptions(
      `${flagOf("Customization")} needs ${flagOf("CloneFrom")}: only clones are customised`,
      "Leave one out, or give the other.",
    );
  if (config.Datastore !== "" && config.DatastoreCluster !== "")
    throw wrongOptions(`${flagOf("Datastore")} and ${flagOf("DatastoreCluster")} exclude each other`, "Leave one of them out.");
  return type;
}

function requirePairs(config: VsphereConfig): void {
  const fields = [
    ["CfgParams", config.CfgParams, /^[^=]+=/u, "KEY=VALUE"],
    ["VAppProperties", config.VAppProperties, /^[^=]+=/u, "KEY=VALUE"],
    ["CustomAttributes", config.CustomAttributes, /^\d+=/u, "KEY=VALUE with the attribute's number as KEY"],
    ["Tags", config.Tags, /^urn:vmomi:InventoryServiceTag:/u, "a tag's id, urn:vmomi:InventoryServiceTag:…"],
  ] as const;
  for (const [field, values, pattern, wanted] of fields) {
    const wrong = values.find((value) => !pattern.test(value));
    if (wrong !== undefined)
      throw new MachineError("driver-options", `${flagOf(field)} ${JSON.stringify(wrong)} is not ${wanted}`);
  }
}

/** `KEY=VALUE` in two. */
export function pairOf(given: string): readonly [key: string, value: string] {
  const at = given.indexOf("=");
  return [given.slice(0, at), given.slice(at + 1)];
}

/** Throws `driver-options`. */
export function imageSource(config: VsphereConfig, cwd: string): ImageSource {
  return imageSourceOf(config, driverName, cwd);
}

function trimSlashes(folder: string): string {
  return folder.replace(/^\/+|\/+$/gu, "");
}

export function isUrl(text: string): boolean {
  return /^https?:\/\//iu.test(text);
}

/**
 * A record without a ledger is of 0.16.2, of Rancher's, or was saved by one of them. Rancher's tells the VM by its BIOS
 * UUID; 0.16.2's by its place in the inventory alone.
 */
export const upgrade: Upgrade = (stored) => {
  if (stored["Resources"] !== undefined) return stored;
  return {
    ...stored,
    Stage: "equipped",
    KnownByPlace: (stored["MachineId"] ?? "") === "",
    PinsOnFirstUse: (stored["TlsThumbprint"] ?? "") === "",
  };
};
