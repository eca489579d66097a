/** The footer that describes a VHD, fixed or dynamic (Virtual Hard Disk Image Format Specification 1.0). */
import { sectorBytes } from "./disk.ts";

export const footerBytes = 512;
const checksumOffset = 64;
/** Hyper-V's own limit. */
export const mostVhdBytes = 2040 * 1024 ** 3;

export interface VhdOptions {
  readonly capacityBytes: number;
  /** The disk's identity: readers refuse two of one. */
  readonly uuid: string;
}

/** What is different in the footers of the two kinds of disk. */
const kinds = {
  fixed: { type: 2, header: 0xffff_ffff_ffff_ffffn },
  dynamic: { type: 3, header: BigInt(footerBytes) },
} as const;

/** The footer of a disk. Its time stamp is 0, the first second of 2000: nobody asks, and equal disks are equal files. */
export function vhdFooter(capacityBytes: number, uuid: string, kind: keyof typeof kinds = "fixed"): Buffer {
  const footer = Buffer.alloc(footerBytes);
  footer.write("conectix", 0, "latin1");
  footer.writeUInt32BE(2, 8); // features: the reserved bit, always set
  footer.writeUInt32BE(0x0001_0000, 12); // format 1.0
  footer.writeBigUInt64BE(kinds[kind].header, 16);
  // By this creator readers take the size and not the geometry, which is rounded.
  footer.write("win ", 28, "latin1");
  footer.writeUInt32BE(0x000a_0000, 32);
  footer.write("Wi2k", 36, "latin1");
  footer.writeBigUInt64BE(BigInt(capacityBytes), 40);
  footer.writeBigUInt64BE(BigInt(capacityBytes), 48);
  const { cylinders, heads, sectors } = vhdGeometry(capacityBytes / sectorBytes);
  footer.writeUInt16BE(cylinders, 56);
  footer.writeUInt8(heads, 58);
  footer.writeUInt8(sectors, 59);
  footer.writeUInt32BE(kinds[kind].type, 60);
  Buffer.from(uuid.replaceAll("-", ""), "hex").copy(footer, 68, 0, 16);
  footer.writeUInt32BE(vhdChecksum(footer), checksumOffset);
  return footer;
}

/** Of a footer or header whose own checksum is still 0. */
export function vhdChecksum(bytes: Buffer): number {
  return ~bytes.reduce((sum, byte) => sum + byte, 0) >>> 0;
}

interface Geometry {
  readonly cylinders: number;
  readonly heads: number;
  readonly sectors: number;
}

const mostCylinders = 65_535;

/** The specification's appendix: the fewest sectors and heads whose cylinders can still be counted. */
export function vhdGeometry(diskSectors: number): Geometry {
  const total = Math.min(diskSectors, mostCylinders * 16 * 255);
  const of = (sectors: number, heads: number): Geometry => ({
    cylinders: Math.floor(Math.floor(total / sectors) / heads),
    heads,
    sectors,
  });
  if (total >= mostCylinders * 16 * 63) return of(255, 16);
  const tracks = Math.floor(total / 17);
  const heads = Math.max(4, Math.ceil(tracks / 1024));
  if (heads <= 16 && tracks < heads * 1024) return of(17, heads);
  return Math.floor(total / 31) < 16 * 1024 ? of(31, 16) : of(63, 16);
}
