/** Fixed VHD: the raw disk and a footer that describes it (Virtual Hard Disk Image Format Specification 1.0). */
import type { ByteSink } from "../../system/random-access.ts";
import { requireCapacity } from "./capacity.ts";
import type { VirtualDisk } from "./disk.ts";
import { footerBytes, mostVhdBytes, vhdFooter, type VhdOptions } from "./vhd-footer.ts";
import { writeBlocks } from "./write-raw.ts";

/**
 * Fills an empty sink with the disk and its footer. Hyper-V takes no sparse files: on NTFS a sink that does not mark its
 * file as sparse makes an ordinary one.
 * Throws `driver-options` for a capacity below the image's size or above 2040 GiB, `image-unusable`, what the sink throws,
 * or the signal's reason.
 */
export async function writeFixedVhd(disk: VirtualDisk, sink: ByteSink, options: VhdOptions, signal: AbortSignal): Promise<void> {
  const capacity = requireCapacity(disk, options.capacityBytes, { format: "a VHD", mostBytes: mostVhdBytes });
  await sink.setSize(capacity + footerBytes);
  await writeBlocks(disk, sink, signal);
  await sink.write(capacity, vhdFooter(capacity, options.uuid));
}
