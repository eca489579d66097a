/** Entries of the two levels of tables that tell where a qcow2 file keeps a cluster (docs/interop/qcow2.txt). */
import type { Qcow2Header } from "./qcow2-header.ts";

/** Where a cluster's bytes are; undefined where it is zeros. */
export type ClusterPlace =
  | { readonly kind: "plain"; readonly offset: number }
  /** `length` may go past what the compressed bytes need, and past the file's end. */
  | { readonly kind: "compressed"; readonly offset: number; readonly length: number };

/** Bits 9–55 of an entry. */
const offsetMask = 0x00ff_ffff_ffff_fe00n;
const compressedFlag = 1n << 62n;
const zeroFlag = 1n;
/** Bits that must be 0: in a first-level entry all that are no offset but the top one; in the second level bit 0 means zeros, since version 3. */
const reservedOfL1 = 0x7f00_0000_0000_01ffn;
const reservedOfPlain = { 2: 0x3f00_0000_0000_01ffn, 3: 0x3f00_0000_0000_01fen } as const;

/** Where a second-level table is; undefined where there is none. "impossible" for what no writer makes. */
export function placeOfTable(entry: bigint, header: Qcow2Header): number | "impossible" | undefined {
  if ((entry & reservedOfL1) !== 0n) return "impossible";
  const offset = entry & offsetMask;
  if (offset === 0n) return undefined;
  return offset % BigInt(header.clusterBytes) === 0n && isSafe(offset) ? Number(offset) : "impossible";
}

/** Where a cluster is. "impossible" for what no writer makes. */
export function placeOfCluster(entry: bigint, header: Qcow2Header): ClusterPlace | "impossible" | undefined {
  if ((entry & compressedFlag) !== 0n) return placeOfCompressed(entry, header);
  if ((entry & reservedOfPlain[header.version]) !== 0n) return "impossible";
  if ((entry & zeroFlag) !== 0n) return undefined;
  const offset = entry & offsetMask;
  if (offset === 0n) return undefined;
  if (offset % BigInt(header.clusterBytes) !== 0n || !isSafe(offset)) return "impossible";
  return { kind: "plain", offset: Number(offset) };
}

const bytesPerSector = 512;

/** Offset in the low bits, above it the number of further sectors that the compressed bytes reach into. */
function placeOfCompressed(entry: bigint, header: Qcow2Header): ClusterPlace | "impossible" {
  const sectorsBits = BigInt(header.clusterBits - 8);
  const offsetBits = 62n - sectorsBits;
  const offset = entry & ((1n << offsetBits) - 1n);
  if (!isSafe(offset)) return "impossible";
  const sectors = Number((entry >> offsetBits) & ((1n << sectorsBits) - 1n));
  const start = Number(offset);
  return { kind: "compressed", offset: start, length: (sectors + 1) * bytesPerSector - (start % bytesPerSector) };
}

function isSafe(offset: bigint): boolean {
  return offset < BigInt(Number.MAX_SAFE_INTEGER);
}
