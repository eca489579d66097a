/** Disks and images in memory, for tests of what reads and writes them. */
import assert from "node:assert/strict";
import type { DiskPiece, VirtualDisk } from "../../src/driver-kit/disk-formats/disk.ts";
import type { ByteSink, ByteSource } from "../../src/system/random-access.ts";

export function sourceOf(bytes: Buffer, name = "test.img"): ByteSource {
  return {
    name,
    sizeBytes: bytes.length,
    read: async (offset, length) => Buffer.from(Uint8Array.prototype.slice.call(bytes, offset, offset + length)),
  };
}

/** Grows as it is written; what was never written is zeros. */
export class MemorySink implements ByteSink {
  bytes = Buffer.alloc(0);

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    if (offset + bytes.length > this.bytes.length) await this.setSize(offset + bytes.length);
    this.bytes.set(bytes, offset);
  }

  async setSize(sizeBytes: number): Promise<void> {
    const grown = Buffer.alloc(sizeBytes);
    this.bytes.copy(grown);
    this.bytes = grown;
  }
}

/** What a reader says that the disk holds. Its pieces must be ascending and apart. */
export async function contentOf(disk: VirtualDisk, signal: AbortSignal): Promise<Buffer> {
  const content = Buffer.alloc(disk.sizeBytes);
  let end = 0;
  for await (const piece of disk.pieces(signal)) {
    assert.ok(piece.offset >= end, `a piece at ${piece.offset} after ${end}`);
    const bytes = await piece.load();
    assert.equal(bytes.length, piece.length);
    bytes.copy(content, piece.offset);
    end = piece.offset + piece.length;
  }
  return content;
}

/** A disk of the given parts, whose size ends with the last of them unless it is said. */
export function diskOf(parts: readonly { readonly offset: number; readonly bytes: Buffer }[], sizeBytes: number): VirtualDisk {
  async function* pieces(): AsyncGenerator<DiskPiece> {
    for (const { offset, bytes } of parts)
      yield { offset, length: bytes.length, load: async () => Buffer.from(new Uint8Array(bytes)) };
  }
  return { format: "raw", sizeBytes, pieces };
}
