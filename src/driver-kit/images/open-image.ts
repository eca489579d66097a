/** A machine's disk, ready to be written in a hypervisor's format: from an image, or for boot2docker to format. */
import type { ByteSource } from "../../system/random-access.ts";
import { openByteSource } from "../../system/random-access.ts";
import { sectorBytes, type VirtualDisk } from "../disk-formats/disk.ts";
import { openDisk } from "../disk-formats/open-disk.ts";
import { openRawDisk } from "../disk-formats/raw-disk.ts";
import type { DriverContext } from "../driver.ts";
import { formatMeDisk } from "../guest/format-me-disk.ts";
import { provideDiskImage, type DiskImageWish } from "./disk-image.ts";

/** Has `work` read the image's disk. Throws what `provideDiskImage`, `openDisk` and `work` throw. */
export async function withImageDisk(
  context: DriverContext,
  wish: DiskImageWish,
  work: (disk: VirtualDisk) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { file, title } = await provideDiskImage(context, wish, signal);
  await using source = await openByteSource(file, title);
  await work(await openDisk(source, signal));
}

/** The disk that boot2docker formats at its first boot, with the keys that may log in. */
export function dataDisk(authorizedKeys: readonly string[]): VirtualDisk {
  const head = formatMeDisk(authorizedKeys);
  const bytes = Buffer.alloc(Math.ceil(head.length / sectorBytes) * sectorBytes);
  head.copy(bytes);
  const source: ByteSource = {
    name: "the data disk",
    sizeBytes: bytes.length,
    read: async (offset, length) => Buffer.from(Uint8Array.prototype.slice.call(bytes, offset, offset + length)),
  };
  return openRawDisk(source);
}
