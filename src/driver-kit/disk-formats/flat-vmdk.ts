/** monolithicFlat VMDK: a small text, and the raw disk in a file beside it. */
import { MachineError } from "../../errors/machine-error.ts";
import type { ByteSink } from "../../system/random-access.ts";
import { requireCapacity } from "./capacity.ts";
import type { VirtualDisk } from "./disk.ts";
import { vmdkDescriptor } from "./vmdk-descriptor.ts";
import { writeRaw } from "./write-raw.ts";

export interface FlatVmdkOptions {
  readonly capacityBytes: number;
  readonly uuid: string;
  /** File name of the raw disk, without a folder: `NAME-flat.vmdk` beside `NAME.vmdk`. */
  readonly extentName: string;
}

/**
 * Fills one sink with the disk and another with the text, last: a text says that its disk is whole.
 * Throws `driver-options` for a capacity below the image's size or an extent's name that the text cannot hold,
 * `image-unusable`, what the sinks throw, or the signal's reason.
 */
export async function writeFlatVmdk(
  disk: VirtualDisk,
  sinks: { readonly descriptor: ByteSink; readonly extent: ByteSink },
  options: FlatVmdkOptions,
  signal: AbortSignal,
): Promise<void> {
  const text = flatVmdkDescriptor(disk, options);
  await writeRaw(disk, sinks.extent, options.capacityBytes, signal);
  await sinks.descriptor.write(0, Buffer.from(text));
}

function flatVmdkDescriptor(disk: VirtualDisk, { capacityBytes, uuid, extentName }: FlatVmdkOptions): string {
  const capacity = requireCapacity(disk, capacityBytes, { format: "a VMDK" });
  // A folder in it would be looked for elsewhere; a quote would end the name.
  if (/["/\\\p{Cc}]/u.test(extentName)) {
    throw new MachineError("driver-options", `A VMDK cannot name a disk file ${JSON.stringify(extentName)}`, {
      hint: "Choose a machine name of letters, digits, dots and dashes.",
    });
  }
  return vmdkDescriptor({ createType: "monolithicFlat", capacityBytes: capacity, uuid, extent: `FLAT "${extentName}" 0` });
}
