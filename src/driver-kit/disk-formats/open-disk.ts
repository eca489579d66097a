/** A disk image, read by what it is and not by what its name says. */
import type { ByteSource } from "../../system/random-access.ts";
import { flattenHint, unusable, type VirtualDisk } from "./disk.ts";
import { isQcow2, openQcow2 } from "./qcow2.ts";
import { openRawDisk } from "./raw-disk.ts";

/** What people give in the place of a disk, told by its first bytes. */
const foreignFormats: readonly { readonly magic: string; readonly at?: number; readonly what: string; readonly hint: string }[] =
  [
    { magic: "KDMV", what: "a VMDK", hint: flattenHint },
    { magic: "COWD", what: "a VMDK", hint: flattenHint },
    { magic: "# Disk DescriptorFile", what: "the description of a VMDK", hint: flattenHint },
    { magic: "conectix", what: "a VHD", hint: flattenHint },
    { magic: "vhdxfile", what: "a VHDX", hint: flattenHint },
    { magic: "\x7f\x10\xda\xbe", at: 64, what: "a VDI", hint: flattenHint },
    { magic: "QED\0", what: "a QED", hint: flattenHint },
    { magic: "\x1f\x8b", what: "compressed by gzip", hint: "Decompress it first: gunzip IMAGE." },
    { magic: "\xfd7zXZ\0", what: "compressed by xz", hint: "Decompress it first: unxz IMAGE." },
    { magic: "\x28\xb5\x2f\xfd", what: "compressed by zstd", hint: "Decompress it first: unzstd IMAGE." },
    { magic: "BZh", what: "compressed by bzip2", hint: "Decompress it first: bunzip2 IMAGE." },
    { magic: "PK\x03\x04", what: "a zip archive", hint: "Unpack it first, and give the disk it holds." },
    { magic: "ustar", at: 257, what: "a tar archive", hint: "Unpack it first, and give the disk it holds." },
  ];

const headBytes = 512;

/**
 * Opens a qcow2 or raw image and checks all of its tables, so that what is refused is refused before anything is
 * written. Throws `image-unusable`, or the signal's reason. The source stays the caller's, who closes it after the disk's
 * last use.
 */
export async function openDisk(source: ByteSource, signal: AbortSignal): Promise<VirtualDisk> {
  signal.throwIfAborted();
  const head = await source.read(0, Math.min(headBytes, source.sizeBytes));
  if (isQcow2(head)) return await openQcow2(source, signal);
  const text = head.toString("latin1");
  const foreign = foreignFormats.find(({ magic, at = 0 }) => text.startsWith(magic, at));
  if (foreign !== undefined) throw unusable(source, `it is ${foreign.what}, not qcow2 or raw`, { hint: foreign.hint });
  return openRawDisk(source);
}
