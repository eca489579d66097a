/** `convert KIND IMAGE TARGET`: writes a qcow2 image as another kind of disk, and says how many MB of memory that took. */
import { readFile } from "node:fs/promises";
import { writeFixedVhd } from "../../src/driver-kit/disk-formats/fixed-vhd.ts";
import { openDisk } from "../../src/driver-kit/disk-formats/open-disk.ts";
import { streamOptimizedVmdk } from "../../src/driver-kit/disk-formats/stream-optimized-vmdk.ts";
import { writeRaw } from "../../src/driver-kit/disk-formats/write-raw.ts";
import { openByteSource, writeInOrder, writeNewFile } from "../../src/system/random-access.ts";

const [kind = "", image = "", target = ""] = process.argv.slice(2);
const { signal } = new AbortController();
const uuid = "f1aabbcc-0011-4233-8445-66778899aabb";

await using source = await openByteSource(image);
const disk = await openDisk(source, signal);
const capacityBytes = disk.sizeBytes;
await writeNewFile(target, async (sink) => {
  if (kind === "raw") await writeRaw(disk, sink, capacityBytes, signal);
  else if (kind === "vhd") await writeFixedVhd(disk, sink, { capacityBytes, uuid }, signal);
  else await writeInOrder(sink, streamOptimizedVmdk(disk, { capacityBytes, uuid, level: 6 }, signal));
});
console.log(await peakMegabytes());

/** The system's count of resources begins with the memory of whoever started us; this one does not. */
async function peakMegabytes(): Promise<number> {
  const status = await readFile("/proc/self/status", "utf8").catch(() => "");
  const peakKiB = Number(/^VmHWM:\s+(\d+)/mu.exec(status)?.[1] ?? process.resourceUsage().maxRSS);
  return Math.round((peakKiB * 1024) / 1e6);
}
