/** A machine image in the cache: a folder with the disk, what boots it, and a description. */
import * as path from "node:path";
import { MachineError } from "../../errors/machine-error.ts";
import { readFileIfExists } from "../../system/files.ts";

export interface ImageFacts {
  /** Names the content: what it was made of or its checksum. */
  readonly digest: string;
  /** For messages: what the user would call it. */
  readonly title: string;
  readonly arch: GuestArch;
  readonly format: "raw" | "qcow2";
  /** Size the guest sees; a machine's disk is at least as large. */
  readonly virtualSizeBytes: number;
  /** `kernel`: QEMU loads the `vmlinuz` and `initrd` beside the disk. `firmware`: the disk has a boot loader. */
  readonly boot: "kernel" | "firmware";
  /** How the guest takes its keys and name on a cold boot: systemd's credentials over SMBIOS, or a NoCloud seed. */
  readonly identity: "credentials" | "cloud-init";
}

export interface Image extends ImageFacts {
  readonly folder: string;
}

export type GuestArch = "x64" | "arm64";

export const imageFiles = { facts: "image.json", disk: "disk", kernel: "vmlinuz", initrd: "initrd" } as const;

/** The architecture of guests on this computer. Throws `driver-unsupported` where images for it do not exist. */
export function guestArch(hostArch: string): GuestArch {
  if (hostArch === "x64" || hostArch === "arm64") return hostArch;
  throw new MachineError("driver-unsupported", `The qemu driver has no images for computers of the architecture ${hostArch}`);
}

/** QEMU's and Debian's names of an architecture. */
export const archNames: Readonly<Record<GuestArch, { readonly qemu: string; readonly debian: string }>> = {
  x64: { qemu: "x86_64", debian: "amd64" },
  arm64: { qemu: "aarch64", debian: "arm64" },
};

/** The image in a folder, or undefined when there is none that is complete. */
export async function loadImage(folder: string): Promise<Image | undefined> {
  const bytes = await readFileIfExists(path.join(folder, imageFiles.facts));
  if (bytes === undefined) return undefined;
  try {
    return { ...(JSON.parse(bytes.toString("utf8")) as ImageFacts), folder };
  } catch {
    return undefined;
  }
}
