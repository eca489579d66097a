/** What a machine of Fusion or Workstation is: the options, and the record they become. No I/O. */
import * as path from "node:path";
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
import { bool, defineOptions, int, list, text, type ConfigOf } from "../../driver-kit/options.ts";
import type { ProviderConfig } from "../../driver-kit/provider-driver.ts";
import type { Computer } from "../../system/computer.ts";
import { parseShare, shareText } from "./shares.ts";

const smallestMemoryMiB = 512;
const largestMemoryMiB = 131_072;
const smallestDiskMiB = 4_000;
/** What a stream of compressed grains can hold, in which the disk is written. */
const largestDiskMiB = 2_000 * 1_024;
/** As 0.16.2 bounds it. */
export const mostCpus = 16;

/** Flags and variables of 0.16.2 up to `NoShare`; then ours. */
export const fusionOptions = defineOptions("vmwarefusion", {
  Memory: {
    ...int("memory-size", { usage: "Fusion size of memory for host VM (in MB)", envVar: "FUSION_MEMORY_SIZE", value: 1_024 }),
    check: (given: number) =>
      given < smallestMemoryMiB
        ? `is too small: ${smallestMemoryMiB} is the least`
        : given > largestMemoryMiB
          ? `is too large: ${largestMemoryMiB} is the most`
          : given % 4 === 0
            ? undefined
            : "is no multiple of 4, which VMware takes alone",
  },
  /** MiB. */
  DiskSize: int("disk-size", {
    usage: "Fusion size of disk for host VM (in MB)",
    envVar: "FUSION_DISK_SIZE",
    value: 20_000,
    atLeast: smallestDiskMiB,
    atMost: largestDiskMiB,
  }),
  CPU: int("cpu-count", {
    usage: "number of CPUs for the machine (-1 to use the number of CPUs available)",
    envVar: "FUSION_CPU_COUNT",
    value: 1,
  }),
  Boot2DockerURL: text("boot2docker-url", {
    usage: "URL or path of a boot2docker ISO to start from, in the place of an image",
    envVar: "FUSION_BOOT2DOCKER_URL",
  }),
  /** Published, and of boot2docker alone: it is no secret. */
  SSHPassword: {
    ...text("ssh-password", {
      usage: "SSH password of boot2docker; accepted and of no use, keys are used",
      envVar: "FUSION_SSH_PASSWORD",
      value: "tcuser",
    }),
    secret: false,
  },
  ConfigDriveURL: text("configdrive-url", {
    usage: "URL or path of a CD for cloud-init, in the place of ours",
    envVar: "FUSION_CONFIGDRIVE_URL",
  }),
  NoShare: bool("no-share", { usage: "Disable the mount of your home directory", envVar: "FUSION_NO_SHARE" }),
  SSHUser: userOption("FUSION_SSH_USER", "SSH user"),
  ...guestOptions("FUSION"),
  NetworkType: text("network-type", {
    usage: "Network of the machine: nat, bridged, hostonly",
    envVar: "FUSION_NETWORK_TYPE",
    value: "nat",
    oneOf: ["nat", "bridged", "hostonly"],
  }),
  ShareFolders: list("share-folder", {
    usage: "Show a folder of this computer in the machine: FOLDER[:PATH]; may be repeated. In the place of the home directories",
    envVar: "FUSION_SHARE_FOLDER",
  }),
});

export interface FusionConfig extends ProviderConfig, ConfigOf<typeof fusionOptions> {
  /** Path of boot2docker's CD in the machine's folder, as 0.16.2 records it. */
  ISO: string;
  /** Path of the CD of `ConfigDriveURL` in the machine's folder, as 0.16.2 records it. */
  ConfigDriveISO: string;
  /** Of the network card, with colons, lower case. */
  MacAddress: string;
  /** Of the product, as it was found before the machine was made; "" where it cannot be told. */
  ProductVersion: string;
  /** It was made to the end, and has started. */
  Created: boolean;
}

/** 0.16.2's names of files in the machine's folder. */
const oldFiles = { iso: "boot2docker.iso", configDrive: "configdrive.iso" } as const;

/** The driver's own fields in 0.16.2's order; what it had not comes behind. */
export function newConfig(): Omit<FusionConfig, keyof ProviderConfig> {
  const {
    SSHUser: _user,
    Memory,
    DiskSize,
    CPU,
    Boot2DockerURL,
    SSHPassword,
    ConfigDriveURL,
    ...rest
  } = fusionOptions.defaults();
  return {
    ...{ Memory, DiskSize, CPU, ISO: "", Boot2DockerURL, SSHPassword, ConfigDriveISO: "", ConfigDriveURL },
    ...rest,
    ...{ MacAddress: "", ProductVersion: "", Created: false },
  };
}

/** What 0.16.2 drops when it saves. */
export const newKeys = [
  ...["Image", "ImageChecksum", "ImageRefresh", "CloudConfig", "NetworkType", "ShareFolders"],
  ...["MacAddress", "ProductVersion", "Created", "Resources", "HostKeys"],
] as const satisfies readonly (keyof FusionConfig)[];

/** A record without a ledger is of 0.16.2: its virtual machine is the one in its folder. */
export const upgrade: Upgrade = (stored) =>
  stored["Resources"] === undefined ? { ...stored, Resources: [`instance=${String(stored["MachineName"])}.vmx`] } : stored;

/** Takes the flags. Throws `driver-options`. */
export function configure(config: FusionConfig, options: DriverOptions, computer: Computer, machineDir: string): void {
  const { cwd, cpus = 1 } = computer;
  Object.assign(config, fusionOptions.read(options));
  config.SSHPort = guestSshPort;
  config.CPU = Math.min(config.CPU < 1 ? cpus : config.CPU, mostCpus);
  config.ISO = path.join(machineDir, oldFiles.iso);
  if (config.ConfigDriveURL !== "") config.ConfigDriveISO = path.join(machineDir, oldFiles.configDrive);
  config.ShareFolders = config.ShareFolders.map((given) => shareText(parseShare(given, cwd)));
  recordGuest(config, "vmwarefusion", cwd);
  requireTogether(config);
}

function requireTogether(config: FusionConfig): void {
  const { flagOf } = fusionOptions;
  if (config.ConfigDriveURL !== "" && config.CloudConfig !== "")
    throw wrongOptions(
      `${flagOf("ConfigDriveURL")} and ${flagOf("CloudConfig")} exclude each other: cloud-init reads one CD`,
      "Leave one of them out.",
    );
  if (config.NoShare && config.ShareFolders.length > 0)
    throw wrongOptions(`${flagOf("NoShare")} and ${flagOf("ShareFolders")} exclude each other`, "Leave one of them out.");
}

/** What the machine starts from. Throws `driver-options`. */
export function imageSource(config: RecordedImage, cwd: string): ImageSource {
  return imageSourceOf(config, "vmwarefusion", cwd);
}
