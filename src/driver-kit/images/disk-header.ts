/**
 * What the first bytes of a disk image tell, for computers without `qemu-img`, where other hypervisors run: its format,
 * its size, and whether it needs another file. Source of the layout: QEMU's docs/interop/qcow2.txt.
 */
export interface DiskFacts {
  readonly format: "raw" | "qcow2";
  /** As the guest sees it. */
  readonly virtualSizeBytes: number;
}

const qcow2Magic = "QFI\xfb";
const headerBytes = 72;
/** Of version 3, bit 2 of the incompatible features: the content lies in another file. */
const externalDataBit = 2;

/** The facts, or why the image cannot be used. */
export function readDiskHeader(head: Buffer, fileBytes: number): DiskFacts | { readonly problem: string } {
  if (head.toString("latin1", 0, 4) !== qcow2Magic) return { format: "raw", virtualSizeBytes: fileBytes };
  if (head.length < headerBytes) return { problem: "it is cut short" };
  const version = head.readUInt32BE(4);
  if (version !== 2 && version !== 3) return { problem: `it is a qcow2 of version ${version}, which is unknown` };
  const isExternal = version === 3 && head.length >= 80 && ((head.readUInt32BE(76) >> externalDataBit) & 1) === 1;
  if (head.readBigUInt64BE(8) !== 0n || isExternal)
    return { problem: "it refers to another file; flatten it with: qemu-img convert -O qcow2" };
  if (head.readUInt32BE(32) !== 0) return { problem: "it is encrypted" };
  return { format: "qcow2", virtualSizeBytes: Number(head.readBigUInt64BE(24)) };
}
