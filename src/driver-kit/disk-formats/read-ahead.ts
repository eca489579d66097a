/** Doing many things at a time, in a bounded amount of memory, with their results in order. */
import type { DiskPiece, VirtualDisk } from "./disk.ts";
import { release } from "./memory.ts";

/** What is being worked on at a time: enough for every thread of `node:zlib`, little enough for a small computer. */
const mostBytes = 4 << 20;
const mostItems = 8;

/**
 * The results of `work` in the order of the items, which it works on side by side. No more is begun than fits into the
 * bounds above. When the reader leaves, or something fails, it ends after what was begun.
 * Throws what `items` and `work` throw, or the signal's reason.
 */
export async function* inOrder<Item, Result>(
  items: AsyncIterable<Item>,
  lengthOf: (item: Item) => number,
  work: (item: Item) => Promise<Result>,
  signal: AbortSignal,
): AsyncGenerator<Result> {
  const begun: { readonly length: number; readonly result: Promise<Result> }[] = [];
  let bytes = 0;
  try {
    for await (const item of items) {
      signal.throwIfAborted();
      const length = lengthOf(item);
      while (begun.length > 0 && (begun.length >= mostItems || bytes + length > mostBytes)) {
        const [first] = begun;
        if (first === undefined) break;
        yield await first.result;
        begun.shift();
        bytes -= first.length;
      }
      const result = work(item);
      // Its turn to be waited for comes later; until then a failure is nobody's.
      result.catch(() => {});
      begun.push({ length, result });
      bytes += length;
    }
    for (const { result } of begun) {
      signal.throwIfAborted();
      yield await result;
    }
  } finally {
    await Promise.allSettled(begun.map(({ result }) => result));
  }
}

/** Bytes of a disk that are not all zero, and where they are. */
export interface DiskBlock {
  readonly offset: number;
  readonly bytes: Buffer;
}

/** What a disk holds, from its beginning to its end; each block's memory is the caller's. Throws `image-unusable`, or the signal's reason. */
export async function* blocksOf(disk: VirtualDisk, signal: AbortSignal): AsyncGenerator<DiskBlock> {
  const load = async ({ offset, load: bytes }: DiskPiece): Promise<DiskBlock> => ({ offset, bytes: await bytes() });
  for await (const block of inOrder(disk.pieces(signal), lengthOf, load, signal)) if (!isZero(block.bytes)) yield block;
}

/** Does something with everything a disk holds, in no particular order; a block's memory is gone afterwards. Throws what `use` throws, `image-unusable`, or the signal's reason. */
export async function forEachBlock(
  disk: VirtualDisk,
  use: (block: DiskBlock) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const work = async (piece: DiskPiece): Promise<void> => {
    const bytes = await piece.load();
    if (!isZero(bytes)) await use({ offset: piece.offset, bytes });
    release(bytes);
  };
  for await (const _done of inOrder(disk.pieces(signal), lengthOf, work, signal));
}

function lengthOf({ length }: DiskPiece): number {
  return length;
}

/** 1 MiB of zeros that everybody shares and nobody writes to. */
export const zeros: Buffer = Buffer.alloc(1 << 20);

export function isZero(bytes: Buffer): boolean {
  for (let offset = 0; offset < bytes.length; offset += zeros.length) {
    const end = Math.min(bytes.length, offset + zeros.length);
    if (bytes.compare(zeros, 0, end - offset, offset, end) !== 0) return false;
  }
  return true;
}
