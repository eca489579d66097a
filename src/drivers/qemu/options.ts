/**
 * The options of `qemu`: create flags, the fields of the record they fill, and what they may be. The defaults suit a
 * laptop: half of what most have.
 */
import { readPublish } from "./container-ports.ts";
import { bool, defineOptions, int, list, text, userName } from "../../driver-kit/options.ts";

const smallestMemoryMiB = 512;
const smallestDiskMiB = 4_000;
/** Of QEMU's machine types for PCs the oldest take no more. */
const mostCpus = 255;
/** Of ext4 with blocks of 4 KiB, that the images have. */
const largestDiskMiB = 16_000_000;

export const qemuOptions = defineOptions("qemu", {
  CPU: int("cpu-count", {
    envVar: "QEMU_CPU_COUNT",
    value: 2,
    usage: "Number of CPUs of the machine",
    atLeast: 1,
    atMost: mostCpus,
  }),
  /** MiB. */
  Memory: int("memory", {
    unit: "MB",
    envVar: "QEMU_MEMORY",
    value: 2_048,
    usage: "Memory of the machine in MB",
    atLeast: smallestMemoryMiB,
  }),
  /** MiB. */
  DiskSize: int("disk-size", {
    unit: "MB",
    envVar: "QEMU_DISK_SIZE",
    value: 20_000,
    usage: "Size of the disk in MB; it takes up what is written to it",
    atLeast: smallestDiskMiB,
    atMost: largestDiskMiB,
  }),
  /** As the user named it. */
  Image: text("image", {
    envVar: "QEMU_IMAGE",
    value: "default",
    usage: "Disk image: default, build, build:SUITE (made here from Debian packages), a qcow2 or raw file, or a URL",
  }),
  ImageChecksum: text("image-checksum", {
    envVar: "QEMU_IMAGE_CHECKSUM",
    usage: "Checksum of the image behind a URL: sha256:HEX, sha512:HEX, or the URL of a list of checksums",
  }),
  ImageMirror: text("image-mirror", {
    envVar: "QEMU_IMAGE_MIRROR",
    usage: "Mirror of the Debian archive that images are built from",
  }),
  ImageRefresh: bool("image-refresh", {
    envVar: "QEMU_IMAGE_REFRESH",
    usage: "Build or download the image anew although it is in the cache",
  }),
  /** The name goes into files of the guest, so it must be one that useradd takes. */
  SSHUser: text("ssh-user", {
    envVar: "QEMU_SSH_USER",
    value: "root",
    usage: "User to log in as; one other than root gets sudo rights",
    matches: userName,
  }),
  /** `auto` until create has chosen. */
  Accelerator: text("accelerator", {
    envVar: "QEMU_ACCELERATOR",
    value: "auto",
    usage: "kvm, hvf, whpx or tcg; auto takes the fastest that boots a kernel here",
    oneOf: ["auto", "kvm", "hvf", "whpx", "tcg"],
  }),
  OpenPorts: list("open-port", {
    envVar: "QEMU_OPEN_PORT",
    usage: "Forward a port of this computer's loopback address to the machine: [ADDRESS:]HOSTPORT[:PORT][/udp]; may be repeated",
  }),
  Publish: text("publish", {
    envVar: "QEMU_PUBLISH",
    value: "auto",
    usage:
      "Ports of containers that 127.0.0.1 of this computer has too: auto (each that is published), off, or these alone: 8080,9000-9010",
    check: (given) => (readPublish(given) === undefined ? "is not auto, off, or ports as 8080,9000-9010" : undefined),
  }),
  ShareFolders: list("share-folder", {
    envVar: "QEMU_SHARE_FOLDER",
    usage: "Show a folder of this computer in the machine: FOLDER[:PATH][:ro]; may be repeated",
  }),
  SaveState: text("save-state", {
    envVar: "QEMU_SAVE_STATE",
    value: "auto",
    usage: "Start from a saved state of the image, and save one if there is none: auto (where it is possible), on, off",
    oneOf: ["auto", "on", "off"],
  }),
  Suspend: bool("suspend", {
    envVar: "QEMU_SUSPEND",
    usage: "Keep the machine's memory when it is stopped; start goes on where it was",
  }),
});

export const sizeFlags = { cpus: "qemu-cpu-count", memoryMiB: "qemu-memory" } as const;
