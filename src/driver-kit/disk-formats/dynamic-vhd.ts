/**
 * Dynamic VHD: only the blocks that hold something, and a table of where they are, so that a large disk is a small file
 * without holes: Hyper-V takes no sparse files (Virtual Hard Disk Image Format Specification 1.0).
 */
import type { ByteSink } from "../../system/random-access.ts";
import { requireCapacity } from "./capacity.ts";
import { sectorBytes, type VirtualDisk } from "./disk.ts";
import { grainsOf } from "./grains.ts";
import { release } from "./memory.ts";
import { footerBytes, mostVhdBytes, vhdChecksum, vhdFooter, type VhdOptions } from "./vhd-footer.ts";

const headerBytes = 1024;
const checksumOffset = 36;
/** What every product writes. */
const blockBytes = 2 << 20;
/** One bit a sector, set where the sector is of this file: all of them are. */
const bitmap = Buffer.alloc(blockBytes / sectorBytes / 8, 0xff);
const absent = 0xffff_ffff;
const tableOffset = footerBytes + headerBytes;

/**
 * Fills an empty sink with the disk. The footer comes last: it says that the disk is whole.
 * Throws `driver-options` for a capacity below the image's size or above 2040 GiB, `image-unusable`, what the sink throws,
 * or the signal's reason.
 */
export async function writeDynamicVhd(
  disk: VirtualDisk,
  sink: ByteSink,
  options: VhdOptions,
  signal: AbortSignal,
): Promise<void> {
  const capacity = requireCapacity(disk, options.capacityBytes, { format: "a VHD", mostBytes: mostVhdBytes });
  const entries = Math.ceil(capacity / blockBytes);
  const table = Buffer.alloc(Math.ceil((entries * 4) / sectorBytes) * sectorBytes, 0xff);
  let position = tableOffset + table.length;
  for await (const { index, bytes } of grainsOf(disk, blockBytes, signal)) {
    await sink.write(position, bitmap);
    await sink.write(position + bitmap.length, bytes);
    table.writeUInt32BE(position / sectorBytes, index * 4);
    position += bitmap.length + blockBytes;
    release(bytes);
  }
  const footer = vhdFooter(capacity, options.uuid, "dynamic");
  await sink.write(0, Buffer.concat([footer, header(entries), table]));
  await sink.write(position, footer);
}

function header(entries: number): Buffer {
  const bytes = Buffer.alloc(headerBytes);
  bytes.write("cxsparse", 0, "latin1");
  bytes.writeUInt32BE(absent, 8); // no further structure
  bytes.writeUInt32BE(absent, 12);
  bytes.writeBigUInt64BE(BigInt(tableOffset), 16);
  bytes.writeUInt32BE(0x0001_0000, 24); // format 1.0
  bytes.writeUInt32BE(entries, 28);
  bytes.writeUInt32BE(blockBytes, 32);
  bytes.writeUInt32BE(vhdChecksum(bytes), checksumOffset);
  return bytes;
}
