/** Create flags of `qemu`. The defaults suit a laptop: half of what most have. */
import type { CreateFlag } from "../../driver-kit/create-flag.ts";

export const defaultCpuCount = 2;
export const defaultMemoryMiB = 2_048;
export const defaultDiskMiB = 20_000;

export const qemuFlags: readonly CreateFlag[] = [
  {
    kind: "int",
    name: "qemu-cpu-count",
    envVar: "QEMU_CPU_COUNT",
    value: defaultCpuCount,
    usage: "Number of CPUs of the machine",
  },
  { kind: "int", name: "qemu-memory", envVar: "QEMU_MEMORY", value: defaultMemoryMiB, usage: "Memory of the machine in MB" },
  {
    kind: "int",
    name: "qemu-disk-size",
    envVar: "QEMU_DISK_SIZE",
    value: defaultDiskMiB,
    usage: "Size of the disk in MB; it takes up what is written to it",
  },
  {
    kind: "string",
    name: "qemu-image",
    envVar: "QEMU_IMAGE",
    value: "default",
    usage: "Disk image: default, build, build:SUITE (made here from Debian packages), a qcow2 or raw file, or a URL",
  },
  {
    kind: "string",
    name: "qemu-image-checksum",
    envVar: "QEMU_IMAGE_CHECKSUM",
    value: "",
    usage: "Checksum of the image behind a URL: sha256:HEX, sha512:HEX, or the URL of a list of checksums",
  },
  {
    kind: "string",
    name: "qemu-image-mirror",
    envVar: "QEMU_IMAGE_MIRROR",
    value: "",
    usage: "Mirror of the Debian archive that images are built from",
  },
  {
    kind: "bool",
    name: "qemu-image-refresh",
    envVar: "QEMU_IMAGE_REFRESH",
    usage: "Build or download the image anew although it is in the cache",
  },
  {
    kind: "string",
    name: "qemu-ssh-user",
    envVar: "QEMU_SSH_USER",
    value: "root",
    usage: "User to log in as; one other than root gets sudo rights",
  },
  {
    kind: "string",
    name: "qemu-accelerator",
    envVar: "QEMU_ACCELERATOR",
    value: "auto",
    usage: "kvm, hvf, whpx or tcg; auto takes the fastest that boots a kernel here",
  },
  {
    kind: "strings",
    name: "qemu-open-port",
    envVar: "QEMU_OPEN_PORT",
    usage: "Forward a port of this computer's loopback address to the machine: [ADDRESS:]HOSTPORT[:PORT][/udp]; may be repeated",
  },
  {
    kind: "strings",
    name: "qemu-share-folder",
    envVar: "QEMU_SHARE_FOLDER",
    usage: "Show a folder of this computer in the machine: FOLDER[:PATH][:ro]; may be repeated",
  },
  {
    kind: "string",
    name: "qemu-save-state",
    envVar: "QEMU_SAVE_STATE",
    value: "auto",
    usage: "Start from a saved state of the image, and save one if there is none: auto (where it is possible), on, off",
  },
];
