/** A disk cut into parts of one size, whatever the size of its own pieces. */
import type { VirtualDisk } from "./disk.ts";
import { release } from "./memory.ts";
import { blocksOf, isZero, type DiskBlock } from "./read-ahead.ts";

export interface Grain {
  readonly index: number;
  /** As many as a grain has, in memory of their own; zeros after the disk's end. */
  readonly bytes: Buffer;
}

/** The grains that hold something, in order. Throws `image-unusable`, or the signal's reason. */
export async function* grainsOf(disk: VirtualDisk, grainBytes: number, signal: AbortSignal): AsyncGenerator<Grain> {
  let partial: Grain | undefined;
  for await (const block of blocksOf(disk, signal)) {
    for (const { index, start, bytes } of cut(block, grainBytes)) {
      if (partial !== undefined && partial.index !== index) {
        yield partial;
        partial = undefined;
      }
      if (bytes.length === grainBytes && bytes.length === block.bytes.length) {
        yield { index, bytes };
        continue;
      }
      if (partial === undefined && isZero(bytes)) continue;
      partial ??= { index, bytes: Buffer.alloc(grainBytes) };
      bytes.copy(partial.bytes, start);
    }
    if (block.bytes.length !== grainBytes) release(block.bytes);
  }
  if (partial !== undefined) yield partial;
}

/** What of a block lies in which grain, and where there. */
function* cut({ offset, bytes }: DiskBlock, grainBytes: number): Generator<{ index: number; start: number; bytes: Buffer }> {
  for (let done = 0; done < bytes.length;) {
    const index = Math.floor((offset + done) / grainBytes);
    const start = (offset + done) % grainBytes;
    const length = Math.min(grainBytes - start, bytes.length - done);
    yield { index, start, bytes: bytes.subarray(done, done + length) };
    done += length;
  }
}
