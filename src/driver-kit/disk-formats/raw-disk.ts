/** Raw images: the disk's bytes, one after the other. */
import type { ByteSource } from "../../system/random-access.ts";
import { readExactly, sectorBytes, unusable, type DiskPiece, type VirtualDisk } from "./disk.ts";

const pieceBytes = 1 << 20;

/** Throws `image-unusable` for a file that cannot be a disk: without bytes, or not of whole sectors. */
export function openRawDisk(source: ByteSource): VirtualDisk {
  const { sizeBytes } = source;
  if (sizeBytes === 0) throw unusable(source, "it is empty");
  if (sizeBytes % sectorBytes !== 0)
    throw unusable(source, `it is no disk, or truncated: ${sizeBytes} bytes are no whole number of sectors`);
  return { format: "raw", sizeBytes, pieces: (signal) => rawPieces(source, signal) };
}

async function* rawPieces(source: ByteSource, signal: AbortSignal): AsyncGenerator<DiskPiece> {
  for (let offset = 0; offset < source.sizeBytes; offset += pieceBytes) {
    signal.throwIfAborted();
    const length = Math.min(pieceBytes, source.sizeBytes - offset);
    yield { offset, length, load: async () => await readExactly(source, offset, length, "its own size") };
  }
}
