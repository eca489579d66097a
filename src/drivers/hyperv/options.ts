/** What a Hyper-V machine is: the options, and the record they become. No I/O. */
import type { Upgrade } from "../../driver-kit/builtin-driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { wrongOptions } from "../../driver-kit/given-options.ts";
import { guestSshPort } from "../../driver-kit/guest/guest-ports.ts";
import {
  guestOptions,
  imageSourceOf,
  recordGuest,
  userOption,
  type RecordedImage,
} from "../../driver-kit/images/image-options.ts";
import type { ImageSource } from "../../driver-kit/images/image-source.ts";
import { bool, defineOptions, int, text, type ConfigOf } from "../../driver-kit/options.ts";
import type { ProviderConfig } from "../../driver-kit/provider-driver.ts";
import type { Computer } from "../../system/computer.ts";

const smallestMemoryMiB = 512;
const smallestDiskMiB = 4_000;
/** A VHDX holds 64 TB, the VHD that ours is converted from 2040 GiB. */
const largestDiskMiB = 2_040 * 1_024;
/** 12.5 TB and 240 processors are Hyper-V's most for a machine of generation 2. */
const largestMemoryMiB = 12_582_912;
export const mostCpus = 240;

const wholePages = (mebibytes: number): string | undefined =>
  mebibytes % 2 === 0 ? undefined : "is odd: Hyper-V takes even numbers";

/** Flags and variables of 0.16.2 up to `DisableDynamicMemory`, in the order of its record; then ours. */
export const hypervOptions = defineOptions("hyperv", {
  Boot2DockerURL: text("boot2docker-url", {
    usage: "URL or path of a boot2docker ISO to start from, in the place of an image",
    envVar: "HYPERV_BOOT2DOCKER_URL",
  }),
  VSwitch: text("virtual-switch", {
    usage: "Virtual switch name. Defaults to the Default Switch, else to the first external one",
    envVar: "HYPERV_VIRTUAL_SWITCH",
  }),
  /** MiB. */
  DiskSize: int("disk-size", {
    usage: "Maximum size of dynamically expanding disk in MB.",
    envVar: "HYPERV_DISK_SIZE",
    value: 20_000,
    atLeast: smallestDiskMiB,
    atMost: largestDiskMiB,
  }),
  /** MiB. */
  MemSize: {
    ...int("memory", { usage: "Memory size for host in MB.", envVar: "HYPERV_MEMORY", value: 1_024 }),
    check: (given: number) =>
      given < smallestMemoryMiB
        ? `is too small: ${smallestMemoryMiB} is the least`
        : given > largestMemoryMiB
          ? `is too large: ${largestMemoryMiB} is the most`
          : wholePages(given),
  },
  CPU: int("cpu-count", {
    usage: "number of CPUs for the machine",
    envVar: "HYPERV_CPU_COUNT",
    value: 1,
    atLeast: 1,
    atMost: mostCpus,
  }),
  MacAddr: text("static-macaddress", {
    usage: "Hyper-V network adapter's static MAC address.",
    envVar: "HYPERV_STATIC_MACADDRESS",
    matches: { pattern: /^[0-9a-f]{2}(?:[:.-]?[0-9a-f]{2}){5}$/iu, wanted: "a MAC address of 12 hexadecimal digits" },
  }),
  VLanID: int("vlan-id", {
    usage: "Hyper-V network adapter's VLAN ID if any",
    envVar: "HYPERV_VLAN_ID",
    atLeast: 0,
    atMost: 4_094,
  }),
  DisableDynamicMemory: bool("disable-dynamic-memory", {
    usage: "Disable dynamic memory management setting",
    envVar: "HYPERV_DISABLE_DYNAMIC_MEMORY",
  }),
  SSHUser: userOption("HYPERV_SSH_USER", "User to log in as; it gets sudo rights"),
  ...guestOptions("HYPERV"),
  /** MiB; 0 = as Hyper-V has it. */
  MemoryMax: int("memory-max", {
    usage: "Most memory in MB that dynamic memory may give the machine; Hyper-V's own bound when 0",
    envVar: "HYPERV_MEMORY_MAX",
    atLeast: smallestMemoryMiB,
    or: 0,
  }),
  Generation: int("generation", {
    usage: "Generation of the virtual machine: 2 (UEFI), or 1 (BIOS)",
    envVar: "HYPERV_GENERATION",
    value: 2,
    atLeast: 1,
    atMost: 2,
  }),
  SecureBoot: text("secure-boot", {
    usage: "Secure boot with Microsoft's UEFI certificate authority, which signs what Linux distributions boot: on, off",
    envVar: "HYPERV_SECURE_BOOT",
    value: "on",
    oneOf: ["on", "off"],
  }),
});

export interface HypervConfig extends ProviderConfig, ConfigOf<typeof hypervOptions> {
  /** The virtual machine's GUID; "" while it is not known, and in records of 0.16.2, which found it by name. */
  VmId: string;
  /** GUID of the switch that was chosen. */
  SwitchId: string;
  /** Of the network adapter, 12 digits in upper case. */
  MacAddress: string;
  /** It was made to the end, and has started. */
  Created: boolean;
}

/** The driver's own fields in 0.16.2's order; what it had not comes behind. */
export function newConfig(): Omit<HypervConfig, keyof ProviderConfig> {
  const { SSHUser: _user, ...rest } = hypervOptions.defaults();
  return { ...rest, VmId: "", SwitchId: "", MacAddress: "", Created: false };
}

/** What 0.16.2 drops when it saves. */
export const newKeys = [
  ...["Image", "ImageChecksum", "ImageRefresh", "CloudConfig", "MemoryMax", "Generation", "SecureBoot"],
  ...["VmId", "SwitchId", "MacAddress", "Created", "Resources", "HostKeys"],
] as const satisfies readonly (keyof HypervConfig)[];

/** A record without a ledger is of 0.16.2: its virtual machine has the machine's name and lies in its folder. */
export const upgrade: Upgrade = (stored) =>
  stored["Resources"] === undefined ? { ...stored, Resources: [`instance=?${String(stored["MachineName"])}`] } : stored;

/** Takes the flags. Throws `driver-options`. */
export function configure(config: HypervConfig, options: DriverOptions, { cwd }: Computer): void {
  Object.assign(config, hypervOptions.read(options));
  config.SSHPort = guestSshPort;
  config.MacAddr = config.MacAddr.replaceAll(/[^0-9a-f]/giu, "").toUpperCase();
  recordGuest(config, "hyperv", cwd);
  requireTogether(config);
}

function requireTogether(config: HypervConfig): void {
  const { flagOf } = hypervOptions;
  if (config.MemoryMax !== 0 && config.DisableDynamicMemory)
    throw wrongOptions(
      `${flagOf("MemoryMax")} and ${flagOf("DisableDynamicMemory")} exclude each other`,
      "Leave one of them out.",
    );
  if (config.MemoryMax !== 0 && config.MemoryMax < config.MemSize)
    throw wrongOptions(
      `${flagOf("MemoryMax")} ${config.MemoryMax} is less than ${flagOf("MemSize")} ${config.MemSize}`,
      "Leave one of them out.",
    );
}

/** What the machine starts from. Throws `driver-options`. */
export function imageSource(config: RecordedImage, cwd: string): ImageSource {
  return imageSourceOf(config, "hyperv", cwd);
}
