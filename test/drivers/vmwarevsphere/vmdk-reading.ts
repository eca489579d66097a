/** Whether bytes are a streamOptimized VMDK, by VMware's description of the format (Virtual Disk Format 5.0), and what it holds. */
import { inflateSync } from "node:zlib";

const sector = 512;

/** The disk's content. Throws for what vSphere would refuse. */
export function readStreamOptimized(bytes: Buffer): { readonly capacityBytes: number; readonly content: Buffer } {
  require(bytes.toString("latin1", 0, 4) === "KDMV", "magic");
  require(bytes.readUInt32LE(4) === 3, "version");
  require((bytes.readUInt32LE(8) & 0x30000) === 0x30000, "flags of compressed grains and markers");
  require(bytes.readUInt16LE(77) === 1, "compression");
  const capacityBytes = Number(bytes.readBigUInt64LE(12)) * sector;
  const grainBytes = Number(bytes.readBigUInt64LE(20)) * sector;
  const content = Buffer.alloc(capacityBytes);
  let at = Number(bytes.readBigUInt64LE(64)) * sector;
  let hasFooter = false;
  for (;;) {
    require(at + sector <= bytes.length, "its end");
    const value = Number(bytes.readBigUInt64LE(at));
    const size = bytes.readUInt32LE(at + 8);
    if (size > 0) {
      const grain = inflateSync(bytes.subarray(at + 12, at + 12 + size));
      require(grain.length <= grainBytes, "a grain");
      grain.copy(content, value * sector);
      at += Math.ceil((12 + size) / sector) * sector;
      continue;
    }
    const type = bytes.readUInt32LE(at + 12);
    if (type === 0) break;
    if (type === 3) hasFooter = true;
    at += (1 + value) * sector;
  }
  require(hasFooter && at + sector === bytes.length, "a footer and an end");
  return { capacityBytes, content };
}

function require(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not a streamOptimized VMDK: ${what}`);
}
