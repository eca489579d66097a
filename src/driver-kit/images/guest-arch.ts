/** Architectures of guests that images exist for, and what others call them. */
import { MachineError } from "../../errors/machine-error.ts";

export type GuestArch = "x64" | "arm64";

/** The architecture of guests on this computer. Throws `driver-unsupported` where images for it do not exist. */
export function guestArch(hostArch: string, driverName: string): GuestArch {
  if (hostArch === "x64" || hostArch === "arm64") return hostArch;
  throw new MachineError(
    "driver-unsupported",
    `The ${driverName} driver has no images for computers of the architecture ${hostArch}`,
  );
}

/** QEMU's and Debian's names of an architecture. */
export const archNames: Readonly<Record<GuestArch, { readonly qemu: string; readonly debian: string }>> = {
  x64: { qemu: "x86_64", debian: "amd64" },
  arm64: { qemu: "aarch64", debian: "arm64" },
};
