/** What a `qemu` machine is: the stored configuration, and how the create flags become it. No I/O. */
import * as path from "node:path";
import { newBaseConfig, type BaseConfig } from "../../driver-kit/base-config.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { defaultCpuCount, defaultDiskMiB, defaultMemoryMiB } from "./flags.ts";
import { requireDistinct } from "./forwards.ts";
import { parseQemuImage } from "./image-source.ts";
import { parseSharedFolder } from "./shared-folder.ts";

export interface QemuConfig extends BaseConfig {
  CPU: number;
  /** MiB. */
  Memory: number;
  /** MiB. */
  DiskSize: number;
  /** As the user named it. */
  Image: string;
  ImageChecksum: string;
  ImageMirror: string;
  ImageRefresh: boolean;
  /** `auto` until create has chosen. */
  Accelerator: string;
  /** Port of 127.0.0.1 that leads to the engine; `SSHPort` leads to sshd. Chosen before the first launch and kept. */
  EnginePort: number;
  OpenPorts: string[];
  ShareFolders: string[];
  SaveState: string;
  /** Names this machine on its QEMU's command line, so that a pid can be recognised. */
  InstanceId: string;
  /** Digest of the image the disk was made from; "" before. */
  ImageDigest: string;
  /** How the guest is booted, see `Image.boot`. */
  Boot: string;
  /** How the guest learns its keys and name, see `Image.identity`. */
  Identity: string;
  /** A disk exists and the guest on it has its own identity. */
  Created: boolean;
  /** Public host key that the guest was given. */
  HostKey: string;
}

export function defaultConfig(machineName: string, storePath: string): QemuConfig {
  return {
    ...newBaseConfig(machineName, storePath),
    CPU: defaultCpuCount,
    Memory: defaultMemoryMiB,
    DiskSize: defaultDiskMiB,
    Image: "default",
    ImageChecksum: "",
    ImageMirror: "",
    ImageRefresh: false,
    Accelerator: "auto",
    EnginePort: 0,
    OpenPorts: [],
    ShareFolders: [],
    SaveState: "auto",
    InstanceId: "",
    ImageDigest: "",
    Boot: "",
    Identity: "",
    Created: false,
    HostKey: "",
  };
}

const smallestMemoryMiB = 512;
const smallestDiskMiB = 4_000;
/** Of QEMU's machine types for PCs the oldest take no more. */
const mostCpus = 255;
/** Of ext4 with blocks of 4 KiB, that the images have. */
const largestDiskMiB = 16_000_000;
const accelerators = ["auto", "kvm", "hvf", "whpx", "tcg"];
const saveStates = ["auto", "on", "off"];

/** Fills the configuration from the create flags. Throws `driver-options` with the flag that is wrong. */
export function configure(config: QemuConfig, options: DriverOptions, cwd: string): void {
  config.CPU = between(options, "qemu-cpu-count", 1, mostCpus);
  config.Memory = between(options, "qemu-memory", smallestMemoryMiB);
  config.DiskSize = between(options, "qemu-disk-size", smallestDiskMiB, largestDiskMiB);
  config.Image = options.string("qemu-image");
  config.ImageChecksum = options.string("qemu-image-checksum");
  config.ImageMirror = options.string("qemu-image-mirror");
  config.ImageRefresh = options.bool("qemu-image-refresh");
  config.SSHUser = userName(options.string("qemu-ssh-user"));
  config.Accelerator = oneOf(options, "qemu-accelerator", accelerators);
  config.OpenPorts = [...options.strings("qemu-open-port")];
  config.ShareFolders = options.strings("qemu-share-folder").map((text) => absoluteShare(text, cwd));
  config.SaveState = oneOf(options, "qemu-save-state", saveStates);
  requireDistinct(config.OpenPorts);
  parseQemuImage(config, cwd);
  if (config.SaveState === "on" && config.ShareFolders.length > 0) {
    throw new MachineError(
      "driver-options",
      "--qemu-save-state on and --qemu-share-folder exclude each other: QEMU cannot save a machine with a shared folder",
    );
  }
}

function between(options: DriverOptions, flag: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const value = options.int(flag);
  if (value < least) throw new MachineError("driver-options", `--${flag} ${value} is too small: ${least} is the least`);
  if (value > most) throw new MachineError("driver-options", `--${flag} ${value} is too large: ${most} is the most`);
  return value;
}

function oneOf(options: DriverOptions, flag: string, allowed: readonly string[]): string {
  const value = options.string(flag);
  if (allowed.includes(value)) return value;
  throw new MachineError("driver-options", `--${flag} ${JSON.stringify(value)} is not one of: ${allowed.join(", ")}`);
}

/** The name goes into files of the guest, so it must be one that useradd takes. */
function userName(text: string): string {
  if (/^[a-z_][a-z0-9_-]{0,31}$/u.test(text)) return text;
  throw new MachineError("driver-options", `--qemu-ssh-user ${JSON.stringify(text)} is not a user name`);
}

function absoluteShare(text: string, cwd: string): string {
  const share = parseSharedFolder(text);
  return `${path.resolve(cwd, share.folder)}:${share.target}${share.readOnly ? ":ro" : ""}`;
}
