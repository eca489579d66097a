/**
 * The header of a qcow2 file, and whether we can read what follows. Facts: QEMU's docs/interop/qcow2.txt; the limits are
 * those of QEMU's own reader.
 */
import type { ByteSource } from "../../system/random-access.ts";
import { flattenHint, readExactly, sectorBytes, unusable } from "./disk.ts";

export type Compression = "zlib" | "zstd";

export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  readonly clusterBytes: number;
  /** What the guest sees, in whole sectors. */
  readonly sizeBytes: number;
  readonly compression: Compression;
  readonly l1Offset: number;
  /** Entries of the L1 table that the disk's size needs; each names a table of as many clusters as fit into one. */
  readonly l1Entries: number;
}

const magic = 0x514649fb;
const version2Bytes = 72;
const version3Bytes = 104;
const minClusterBits = 9;
const maxClusterBits = 21;
/** 32 MiB of table. */
const mostL1Entries = (32 << 20) / 8;

/** Incompatible features, by bit. What is not here is unknown. */
const features: readonly { readonly bit: bigint; readonly refused?: string; readonly hint?: string }[] = [
  // Reference counts may be wrong; nobody needs them for reading.
  { bit: 0n },
  { bit: 1n, refused: "it is marked as corrupt", hint: "Repair it first: qemu-img check -r all IMAGE." },
  { bit: 2n, refused: "its data is in another file", hint: flattenHint },
  { bit: 3n },
  { bit: 4n, refused: "it has extended L2 entries", hint: flattenHint },
];
const compressionTypeBit = 1n << 3n;

export function isQcow2(head: Buffer): boolean {
  return head.length >= 4 && head.readUInt32BE(0) === magic;
}

/** Reads and checks the header. Throws `image-unusable`. */
export async function readQcow2Header(source: ByteSource): Promise<Qcow2Header> {
  const head = await readExactly(source, 0, version2Bytes, "its header does");
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3)
    throw unusable(source, `its format is qcow2 of version ${version}, not 2 or 3`, { hint: flattenHint });
  requireStandsAlone(source, head);
  const compression = version === 2 ? "zlib" : await readVersion3(source);
  const clusterBits = head.readUInt32BE(20);
  if (clusterBits < minClusterBits || clusterBits > maxClusterBits)
    throw unusable(source, `its clusters of 2^${clusterBits} bytes are impossible`);
  const clusterBytes = 2 ** clusterBits;
  const sizeBytes = readSize(source, head);
  const l1 = readL1Place(source, head, sizeBytes, clusterBytes);
  return { version, clusterBits, clusterBytes, sizeBytes, compression, ...l1 };
}

function requireStandsAlone(source: ByteSource, head: Buffer): void {
  if (head.readBigUInt64BE(8) !== 0n)
    throw unusable(source, "it is based on another file (a backing file)", { hint: flattenHint });
  if (head.readUInt32BE(32) !== 0) {
    throw unusable(source, "it is encrypted", {
      hint: "Give an image that is not encrypted: qemu-img convert with its secret makes one.",
    });
  }
}

/** What version 3 adds: features, and how clusters are compressed. */
async function readVersion3(source: ByteSource): Promise<Compression> {
  const head = await readExactly(source, 0, version3Bytes, "its header does");
  const incompatible = head.readBigUInt64BE(72);
  for (let bit = 0n; bit < 64n; bit += 1n) {
    if ((incompatible & (1n << bit)) === 0n) continue;
    const feature = features.find((known) => known.bit === bit);
    if (feature === undefined)
      throw unusable(source, `it needs a feature that is unknown here (bit ${bit})`, { hint: flattenHint });
    if (feature.refused !== undefined) throw unusable(source, feature.refused, { hint: feature.hint ?? flattenHint });
  }
  const headerBytes = head.readUInt32BE(100);
  if (headerBytes < version3Bytes || headerBytes % 8 !== 0)
    throw unusable(source, `its header of ${headerBytes} bytes is impossible`);
  if ((incompatible & compressionTypeBit) === 0n) return "zlib";
  if (headerBytes === version3Bytes) throw unusable(source, "its header does not tell how it is compressed");
  const type = (await readExactly(source, version3Bytes, 1, "its header does")).readUInt8(0);
  if (type > 1) throw unusable(source, `its compression ${type} is unknown here`, { hint: flattenHint });
  return type === 0 ? "zlib" : "zstd";
}

function readSize(source: ByteSource, head: Buffer): number {
  const size = head.readBigUInt64BE(24);
  if (size === 0n) throw unusable(source, "its disk is empty");
  if (size > BigInt(Number.MAX_SAFE_INTEGER - sectorBytes)) throw unusable(source, `its disk of ${size} bytes is impossible`);
  return Math.ceil(Number(size) / sectorBytes) * sectorBytes;
}

function readL1Place(
  source: ByteSource,
  head: Buffer,
  sizeBytes: number,
  clusterBytes: number,
): Pick<Qcow2Header, "l1Offset" | "l1Entries"> {
  const l1Entries = Math.ceil(sizeBytes / (clusterBytes * (clusterBytes / 8)));
  if (l1Entries > mostL1Entries) throw unusable(source, `its disk of ${sizeBytes} bytes is too large for its clusters`);
  if (head.readUInt32BE(36) < l1Entries) throw unusable(source, "its first table is too short for its disk");
  const offset = head.readBigUInt64BE(40);
  if (offset % BigInt(clusterBytes) !== 0n || offset === 0n) throw unusable(source, "its first table is at an impossible place");
  if (offset + BigInt(l1Entries * 8) > BigInt(source.sizeBytes))
    throw unusable(source, "it is truncated: it ends before its first table");
  return { l1Offset: Number(offset), l1Entries };
}
