/** A machine image as QEMU starts it: one of the kit's disks, or a disk built here with the kernel that boots it. */
import type { ImageFacts } from "../../driver-kit/images/image-folders.ts";

export interface QemuImageFacts extends ImageFacts {
  /** `kernel`: QEMU loads the `vmlinuz` and `initrd` beside the disk. `firmware`: the disk has a boot loader. */
  readonly boot: "kernel" | "firmware";
  /** How the guest takes its keys and name on a cold boot: systemd's credentials over SMBIOS, or a NoCloud seed. */
  readonly identity: "credentials" | "cloud-init";
}

export interface QemuImage extends QemuImageFacts {
  readonly folder: string;
}

export const qemuImageFiles = { disk: "disk", kernel: "vmlinuz", initrd: "initrd" } as const;
