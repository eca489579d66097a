/**
 * What a virtual disk is to everybody in this folder, whatever file it lies in: pieces that hold something, zeros
 * between them. Readers and writers are pure: bytes come from a `ByteSource` and go into a `ByteSink` or a stream.
 * `node:zlib` does its work on other threads, so that reading, decompressing, compressing and writing overlap.
 */
import { MachineError } from "../../errors/machine-error.ts";
import type { ByteSource } from "../../system/random-access.ts";

export const sectorBytes = 512;

/** A part of a disk that may hold something. */
export interface DiskPiece {
  readonly offset: number;
  /** At most 2 MiB. */
  readonly length: number;
  /** Its bytes, `length` of them. Throws `image-unusable` when they cannot be had. */
  load(): Promise<Buffer>;
}

export interface VirtualDisk {
  readonly format: "qcow2" | "raw";
  /** As the guest sees it; a whole number of sectors. */
  readonly sizeBytes: number;
  /** In ascending order and without overlap; what is left out is zeros. Throws `image-unusable`, or the signal's reason. */
  pieces(signal: AbortSignal): AsyncIterable<DiskPiece>;
}

export const flattenHint = "Make an image of it that stands alone: qemu-img convert -O qcow2 IMAGE NEW.";
const damagedHint = "Fetch or copy the image again, and compare its checksum with the publisher's.";

/** The error of every reader: why this image is of no use. */
export function unusable(source: ByteSource, reason: string, options: { hint?: string; cause?: unknown } = {}): MachineError {
  return new MachineError("image-unusable", `The image ${source.name} cannot be used: ${reason}`, {
    hint: damagedHint,
    ...options,
  });
}

/** Exactly these bytes. Allocates nothing for what the source cannot hold. Throws `image-unusable` when it is too short. */
export async function readExactly(source: ByteSource, offset: number, length: number, what: string): Promise<Buffer> {
  if (offset + length > source.sizeBytes) throw truncated(source, what);
  const bytes = await source.read(offset, length);
  if (bytes.length < length) throw truncated(source, what);
  return bytes;
}

function truncated(source: ByteSource, what: string): MachineError {
  return unusable(source, `it is truncated: it ends before ${what}`);
}
