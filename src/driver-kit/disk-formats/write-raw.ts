/** Raw disks: into a file, or byte by byte to a program that converts them (`VBoxManage convertfromraw stdin`). */
import type { ByteSink } from "../../system/random-access.ts";
import { requireCapacity } from "./capacity.ts";
import type { VirtualDisk } from "./disk.ts";
import { release } from "./memory.ts";
import { blocksOf, forEachBlock, zeros } from "./read-ahead.ts";

const limits = { format: "a raw disk" };

/**
 * Fills an empty sink with the disk. Where the file system can, zeros take no space.
 * Throws `driver-options` for a capacity below the image's size, `image-unusable`, what the sink throws, or the signal's reason.
 */
export async function writeRaw(disk: VirtualDisk, sink: ByteSink, capacityBytes: number, signal: AbortSignal): Promise<void> {
  const capacity = requireCapacity(disk, capacityBytes, limits);
  await sink.setSize(capacity);
  await writeBlocks(disk, sink, signal);
}

/** What the disk holds, each at its place. */
export async function writeBlocks(disk: VirtualDisk, sink: ByteSink, signal: AbortSignal): Promise<void> {
  await forEachBlock(disk, async ({ offset, bytes }) => await sink.write(offset, bytes), signal);
}

/**
 * Gives the whole disk to `write`, from its first byte to its last, zeros included. `write` returns once it needs the bytes
 * no more, and does not change them.
 * Throws `driver-options` for a capacity below the image's size, `image-unusable`, what `write` throws, or the signal's reason.
 */
export async function feedRaw(
  disk: VirtualDisk,
  write: (bytes: Buffer) => Promise<void>,
  capacityBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const capacity = requireCapacity(disk, capacityBytes, limits);
  let position = 0;
  for await (const { offset, bytes } of blocksOf(disk, signal)) {
    await feedZeros(offset - position, write, signal);
    await write(bytes);
    position = offset + bytes.length;
    release(bytes);
  }
  await feedZeros(capacity - position, write, signal);
}

async function feedZeros(length: number, write: (bytes: Buffer) => Promise<void>, signal: AbortSignal): Promise<void> {
  for (let left = length; left > 0; left -= zeros.length) {
    signal.throwIfAborted();
    await write(left >= zeros.length ? zeros : zeros.subarray(0, left));
  }
}
