/** What a VirtualBox machine is: the options, the record they become, and records of 0.16.2. No I/O. */
import type { Upgrade } from "../../driver-kit/builtin-driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { imageSourceOf, recordImage } from "../../driver-kit/images/image-options.ts";
import type { ImageSource } from "../../driver-kit/images/image-source.ts";
import { absoluteFile, takeOldDefaults, wrongOptions } from "../../driver-kit/given-options.ts";
import { bool, defineOptions, int, text, userName, type ConfigOf } from "../../driver-kit/options.ts";
import type { ProviderConfig } from "../../driver-kit/provider-driver.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Computer } from "../../system/computer.ts";
import { broadcastOf, contains, dhcpRange, formatAddress, networkOf, parseAddress, parseCidr, type Cidr } from "./cidr.ts";
import { parseShare } from "./shares.ts";

/** As VBoxManage's usage of 6.1 to 7.2 has them. */
const nicTypes = ["Am79C970A", "Am79C973", "82540EM", "82543GC", "82545EM", "virtio", "usbnet"];
/** 0.16.2's; Debian's image has the faster one's driver too. */
const oldNicType = "82540EM";
const newNicType = "virtio";

/** MB. What VirtualBox takes, and what an engine needs. */
const memoryBounds = { atLeast: 512, atMost: 2_097_152 };
export const mostCpus = 32;
const smallestDiskMiB = 1_000;
/** Of VDI. */
const largestDiskMiB = 2_000_000;

/** Flags and variables of 0.16.2 up to `ShareFolder`, in the order of its record; then ours. */
export const virtualBoxOptions = defineOptions("virtualbox", {
  CPU: int("cpu-count", {
    usage: "number of CPUs for the machine (-1 to use the number of CPUs available)",
    envVar: "VIRTUALBOX_CPU_COUNT",
    value: 1,
  }),
  Memory: int("memory", {
    usage: "Size of memory for host in MB",
    envVar: "VIRTUALBOX_MEMORY_SIZE",
    value: 1024,
    ...memoryBounds,
  }),
  DiskSize: int("disk-size", {
    usage: "Size of disk for host in MB",
    envVar: "VIRTUALBOX_DISK_SIZE",
    value: 20_000,
    atLeast: smallestDiskMiB,
    atMost: largestDiskMiB,
  }),
  NatNicType: text("nat-nictype", {
    usage: "Specify the Network Adapter Type; virtio unless a CD is started from",
    envVar: "VIRTUALBOX_NAT_NICTYPE",
    value: oldNicType,
    oneOf: nicTypes,
  }),
  Boot2DockerURL: text("boot2docker-url", {
    usage: "The URL of the boot2docker image, to start from it and not from --virtualbox-image",
    envVar: "VIRTUALBOX_BOOT2DOCKER_URL",
  }),
  Boot2DockerImportVM: text("import-boot2docker-vm", {
    usage: "The name of a Boot2Docker VM to import",
    envVar: "VIRTUALBOX_BOOT2DOCKER_IMPORT_VM",
  }),
  HostDNSResolver: bool("host-dns-resolver", {
    usage: "Use the host DNS resolver",
    envVar: "VIRTUALBOX_HOST_DNS_RESOLVER",
  }),
  HostOnlyCIDR: text("hostonly-cidr", {
    usage: "Specify the Host Only CIDR",
    envVar: "VIRTUALBOX_HOSTONLY_CIDR",
    value: "192.168.59.1/24",
    check: cidrProblem,
  }),
  HostOnlyNicType: text("hostonly-nictype", {
    usage: "Specify the Host Only Network Adapter Type; virtio unless a CD is started from",
    envVar: "VIRTUALBOX_HOSTONLY_NIC_TYPE",
    value: oldNicType,
    oneOf: nicTypes,
  }),
  HostOnlyPromiscMode: text("hostonly-nicpromisc", {
    usage: "Specify the Host Only Network Adapter Promiscuous Mode",
    envVar: "VIRTUALBOX_HOSTONLY_NIC_PROMISC",
    value: "deny",
    oneOf: ["deny", "allow-vms", "allow-all"],
  }),
  UIType: text("ui-type", {
    usage: "Specify the UI Type: (gui|sdl|headless|separate)",
    envVar: "VIRTUALBOX_UI_TYPE",
    value: "headless",
    oneOf: ["gui", "sdl", "headless", "separate"],
  }),
  HostOnlyNoDHCP: bool("hostonly-no-dhcp", {
    usage: "Disable the Host Only DHCP Server; needs --virtualbox-hostonly-address",
    envVar: "VIRTUALBOX_HOSTONLY_NO_DHCP",
  }),
  NoShare: bool("no-share", { usage: "Disable the mount of your home directory", envVar: "VIRTUALBOX_NO_SHARE" }),
  NoDNSProxy: bool("no-dns-proxy", {
    usage: "Disable proxying all DNS requests to the host",
    envVar: "VIRTUALBOX_NO_DNS_PROXY",
  }),
  NoVTXCheck: bool("no-vtx-check", {
    usage: "Disable checking for the availability of hardware virtualization before the vm is started",
    envVar: "VIRTUALBOX_NO_VTX_CHECK",
  }),
  ShareFolder: text("share-folder", {
    usage: "Mount the specified directory instead of the default home location. Format: dir:name",
    envVar: "VIRTUALBOX_SHARE_FOLDER",
    check: (value) => (parseShare(value) === undefined ? "is not DIR:NAME with a name without spaces" : undefined),
  }),
  Image: text("image", {
    usage: "Disk image: default (Debian's cloud image), a qcow2 or raw file, or a URL",
    envVar: "VIRTUALBOX_IMAGE",
    value: "default",
  }),
  ImageChecksum: text("image-checksum", {
    usage: "Checksum of what a URL leads to: sha256:HEX, sha512:HEX, or the URL of a list of checksums",
    envVar: "VIRTUALBOX_IMAGE_CHECKSUM",
  }),
  ImageRefresh: bool("image-refresh", {
    usage: "Ask again whether there is a newer image than the one in the cache",
    envVar: "VIRTUALBOX_IMAGE_REFRESH",
  }),
  SSHUser: text("ssh-user", {
    usage: "User to log in as; one other than root gets sudo rights",
    envVar: "VIRTUALBOX_SSH_USER",
    value: "docker",
    matches: userName,
  }),
  Network: text("network", {
    usage: "hostonly: a network of this computer and its machines; nat: ports of 127.0.0.1 that lead to SSH and the engine",
    envVar: "VIRTUALBOX_NETWORK",
    value: "hostonly",
    oneOf: ["hostonly", "nat"],
  }),
  HostOnlyAddress: text("hostonly-address", {
    usage: "Fixed address of the machine in the Host Only network, in the place of one by DHCP",
    envVar: "VIRTUALBOX_HOSTONLY_ADDRESS",
    check: (value) => (parseAddress(value) === undefined ? "is not an IPv4 address" : undefined),
  }),
  HostLoopbackReachable: bool("host-loopback-reachable", {
    usage: "Let the machine reach this computer's loopback address, as 10.0.2.2; VirtualBox 7",
    envVar: "VIRTUALBOX_HOST_LOOPBACK_REACHABLE",
  }),
  CloudConfig: text("cloud-config", {
    usage: "File with user data for cloud-init, joined with the machine's own",
    envVar: "VIRTUALBOX_CLOUD_CONFIG",
  }),
});

type Options = ConfigOf<typeof virtualBoxOptions>;

export interface VirtualBoxConfig extends ProviderConfig, Omit<Options, "NoDNSProxy"> {
  /** Two interfaces of 0.16.2's driver, empty in each record: it ends with a panic where they are null. */
  VBoxManager: object;
  HostInterfaces: object;
  DNSProxy: boolean;
  /** Of the virtual machine, in VirtualBox's registry; "" for a record of 0.16.2, which knows it by its folder. */
  VmUuid: string;
  DiskUuid: string;
  /** The host-only interface, or on a Mac the host-only network, that it was given. */
  HostOnlyName: string;
  /** Port of 127.0.0.1 that leads to the engine, with `--virtualbox-network nat`; else 0. */
  EnginePort: number;
  /** Hardware addresses of the two cards, as VirtualBox writes them: twelve digits. */
  NatMac: string;
  HostOnlyMac: string;
  ImageDigest: string;
  /** The machine is whole: it may have been started. */
  Created: boolean;
}

const { defaults, flagOf, isSet, read } = virtualBoxOptions;

/** The driver's own fields in 0.16.2's order; what it had not comes behind. */
export function newConfig(): Omit<VirtualBoxConfig, keyof ProviderConfig> {
  const { SSHUser: _user, NoDNSProxy: _proxy, NoVTXCheck, ShareFolder, ...rest } = defaults();
  const { Image, ImageChecksum, ImageRefresh, Network, HostOnlyAddress, HostLoopbackReachable, CloudConfig, ...old } = rest;
  return {
    ...{ VBoxManager: {}, HostInterfaces: {} },
    ...{ ...old, DNSProxy: true, NoVTXCheck, ShareFolder },
    ...{ Image, ImageChecksum, ImageRefresh, Network, HostOnlyAddress, HostLoopbackReachable, CloudConfig },
    ...{
      VmUuid: "",
      DiskUuid: "",
      HostOnlyName: "",
      EnginePort: 0,
      NatMac: "",
      HostOnlyMac: "",
      ImageDigest: "",
      Created: false,
    },
  };
}

/** What 0.16.2 drops when it saves. */
export const newKeys = [
  ...["Image", "ImageChecksum", "ImageRefresh", "Network", "HostOnlyAddress", "HostLoopbackReachable", "CloudConfig"],
  ...["VmUuid", "DiskUuid", "HostOnlyName", "EnginePort", "NatMac", "HostOnlyMac", "ImageDigest", "Created"],
  ...["Resources", "HostKeys"],
] as const satisfies readonly (keyof VirtualBoxConfig)[];

export const upgrade: Upgrade = (stored) => ({
  ...stored,
  VBoxManager: stored["VBoxManager"] ?? {},
  HostInterfaces: stored["HostInterfaces"] ?? {},
});

/** Of 0.16.2; VirtualBox refuses it on Linux and macOS since 6.1.28 unless its administrator allows it. */
const oldDefaults = { HostOnlyCIDR: "192.168.99.1/24" } as const;

/** Takes the flags. Throws `driver-options`. */
export function configure(config: VirtualBoxConfig, options: DriverOptions, computer: Computer): void {
  const { cwd } = computer;
  const { NoDNSProxy, ...values } = read(options);
  Object.assign(config, values, { DNSProxy: !NoDNSProxy });
  config.CloudConfig = absoluteFile(config.CloudConfig, cwd);
  config.CPU = Math.min(config.CPU, mostCpus);
  takeOldDefaults(config, oldDefaults, computer, (field) => isSet(options, field));
  const { kind } = recordImage(config, "virtualbox", cwd);
  requireTogether(config, kind === "iso" || config.Boot2DockerImportVM !== "");
  if (kind === "iso" || config.Boot2DockerImportVM !== "") return;
  if (!isSet(options, "NatNicType")) config.NatNicType = newNicType;
  if (!isSet(options, "HostOnlyNicType")) config.HostOnlyNicType = newNicType;
}

/** Throws `driver-options`. */
export function imageSource(config: VirtualBoxConfig, cwd: string): ImageSource {
  return imageSourceOf(config, "virtualbox", cwd);
}

export function hostOnlyCidrOf({ HostOnlyCIDR }: VirtualBoxConfig): Cidr {
  const cidr = parseCidr(HostOnlyCIDR);
  if (cidr !== undefined) return cidr;
  throw new MachineError("driver-options", `${flagOf("HostOnlyCIDR")} ${JSON.stringify(HostOnlyCIDR)} is not ADDRESS/LENGTH`);
}

function cidrProblem(value: string): string | undefined {
  const cidr = parseCidr(value);
  if (cidr === undefined) return "is not ADDRESS/LENGTH, as 192.168.59.1/24";
  if (dhcpRange(cidr) === undefined) return "is too small a network for a machine";
  return undefined;
}

function requireTogether(config: VirtualBoxConfig, isBoot2Docker: boolean): void {
  const cidr = hostOnlyCidrOf(config);
  if (cidr.address === networkOf(cidr) || cidr.address === broadcastOf(cidr))
    throw wrongOptions(
      "host-only cidr must be specified with a host address, not a network address",
      `Give ${flagOf("HostOnlyCIDR")} ${formatAddress(networkOf(cidr) + 1)}/${cidr.prefix}.`,
    );
  const { HostOnlyAddress, HostOnlyNoDHCP, Network, SSHUser, CloudConfig } = config;
  const address = parseAddress(HostOnlyAddress);
  if (address !== undefined && (!contains(cidr, address) || address === cidr.address))
    throw wrongOptions(
      `${flagOf("HostOnlyAddress")} ${HostOnlyAddress} is not an address for a machine in ${config.HostOnlyCIDR}`,
      `Give one of ${formatAddress(networkOf(cidr))}/${cidr.prefix} other than ${formatAddress(cidr.address)}.`,
    );
  if (isBoot2Docker) {
    if (HostOnlyAddress !== "" || CloudConfig !== "" || SSHUser !== "docker")
      throw wrongOptions(
        `boot2docker takes neither a fixed address, nor user data, nor another user than docker`,
        `Leave out ${flagOf("HostOnlyAddress")}, ${flagOf("CloudConfig")} and ${flagOf("SSHUser")}.`,
      );
  } else if (HostOnlyNoDHCP && HostOnlyAddress === "" && Network === "hostonly")
    throw wrongOptions(
      `${flagOf("HostOnlyNoDHCP")} needs ${flagOf("HostOnlyAddress")}: without DHCP the machine has no address there`,
      `Give ${flagOf("HostOnlyAddress")} a free address of ${config.HostOnlyCIDR}.`,
    );
}
