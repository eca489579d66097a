/**
 * How long a zstd frame is, without decompressing it (RFC 8878, 3.1.1). A cluster's frame is followed by whatever stands
 * next in the file, which a decompressor would take for another frame.
 */

const magic = 0xfd2fb528;
const dictionaryIdBytes = [0, 1, 2, 4] as const;
const contentSizeBytes = [0, 2, 4, 8] as const;
const rleBlock = 1;
const reservedBlock = 3;

export interface ZstdFrame {
  readonly lengthBytes: number;
  /** What a decompressor must keep in memory; 0 where it is the content itself. */
  readonly windowBytes: number;
}

/** The frame at the beginning of the bytes; undefined when there is no whole one. */
export function zstdFrameIn(bytes: Buffer): ZstdFrame | undefined {
  try {
    return walkFrame(bytes);
  } catch (error) {
    // A read past the end: the frame is not whole.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function walkFrame(bytes: Buffer): ZstdFrame | undefined {
  if (bytes.readUInt32LE(0) !== magic) return undefined;
  const descriptor = bytes.readUInt8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const windowBytes = isSingleSegment ? 0 : windowOf(bytes.readUInt8(5));
  const contentFlag = descriptor >> 6;
  const sizeFieldBytes = contentFlag === 0 && isSingleSegment ? 1 : (contentSizeBytes[contentFlag] ?? 0);
  let position = 5 + (isSingleSegment ? 0 : 1) + (dictionaryIdBytes[descriptor & 3] ?? 0) + sizeFieldBytes;
  for (let last = false; !last;) {
    const header = bytes.readUIntLE(position, 3);
    last = (header & 1) === 1;
    const type = (header >> 1) & 3;
    if (type === reservedBlock) return undefined;
    position += 3 + (type === rleBlock ? 1 : header >> 3);
  }
  const lengthBytes = position + ((descriptor & 4) === 0 ? 0 : 4);
  return lengthBytes <= bytes.length ? { lengthBytes, windowBytes } : undefined;
}

function windowOf(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 7);
}
