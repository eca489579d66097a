/** VirtualBox as a second reader, beside qemu-img, of the disks that we write. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import * as path from "node:path";
import { describe, test } from "node:test";
import type { VirtualDisk } from "../../../src/driver-kit/disk-formats/disk.ts";
import { writeDynamicVhd } from "../../../src/driver-kit/disk-formats/dynamic-vhd.ts";
import { writeFixedVhd } from "../../../src/driver-kit/disk-formats/fixed-vhd.ts";
import { writeFlatVmdk } from "../../../src/driver-kit/disk-formats/flat-vmdk.ts";
import { streamOptimizedVmdk } from "../../../src/driver-kit/disk-formats/stream-optimized-vmdk.ts";
import { writeInOrder, writeNewFile } from "../../../src/system/random-access.ts";
import { diskOf } from "../../support/memory-disk.ts";
import { provideVBoxManage, openRealVBox } from "./real-vboxmanage.ts";

const { signal } = new AbortController();
const uuid = "f1aabbcc-0011-4233-8445-66778899aabb";
/** It takes the first three numbers of a VHD's UUID for little-endian ones. */
const asVirtualBoxReadsVhd = "ccbbaaf1-1100-3342-8445-66778899aabb";
const mib = 1 << 20;
/** Of whole cylinders, which is what a VHD has. */
const capacityBytes = 17 * 4 * 512 * 1024;

/** Text here and there, zeros between, the last sector among them. */
function sample(): { readonly disk: VirtualDisk; readonly content: Buffer } {
  const places = [0, 512, 3 * mib + 512, 9 * mib, 16 * mib - 512];
  const parts = places.map((offset, index) => ({ offset, bytes: Buffer.alloc(512 * (index + 1), `part ${index} `) }));
  const content = Buffer.alloc(capacityBytes);
  for (const { offset, bytes } of parts) bytes.copy(content, offset);
  return { disk: diskOf(parts, 16 * mib + 5 * 512), content };
}

type Write = (folder: string, disk: VirtualDisk) => Promise<string>;

const formats: Readonly<Record<string, Write>> = {
  "a fixed VHD": async (folder, disk) => {
    const file = path.join(folder, "fixed.vhd");
    await writeNewFile(file, async (sink) => await writeFixedVhd(disk, sink, { capacityBytes, uuid }, signal));
    return file;
  },
  "a dynamic VHD": async (folder, disk) => {
    const file = path.join(folder, "dynamic.vhd");
    await writeNewFile(file, async (sink) => await writeDynamicVhd(disk, sink, { capacityBytes, uuid }, signal));
    return file;
  },
  "a flat VMDK": async (folder, disk) => {
    const [file, extentName] = [path.join(folder, "flat.vmdk"), "flat-flat.vmdk"];
    await writeNewFile(path.join(folder, extentName), async (extent) => {
      await writeNewFile(file, async (descriptor) => {
        await writeFlatVmdk(disk, { descriptor, extent }, { capacityBytes, uuid, extentName }, signal);
      });
    });
    return file;
  },
  "a streamOptimized VMDK": async (folder, disk) => {
    const file = path.join(folder, "stream.vmdk");
    await writeNewFile(file, async (sink) => {
      await writeInOrder(sink, streamOptimizedVmdk(disk, { capacityBytes, uuid, level: 6 }, signal));
    });
    return file;
  },
};

const provided = await provideVBoxManage();

describe("VBoxManage reads", { skip: "reason" in provided ? provided.reason : false }, () => {
  for (const [title, write] of Object.entries(formats)) {
    test(title, async () => {
      assert.ok("tree" in provided);
      await using vbox = await openRealVBox(provided.tree);
      const { disk, content } = sample();
      const file = await write(vbox.folder, disk);
      const info = await vbox.run("showmediuminfo", "disk", file);
      assert.match(info, /^State: +created$/mu);
      assert.match(info, new RegExp(`^UUID: +(?:${uuid}|${asVirtualBoxReadsVhd})$`, "mu"));
      assert.match(info, new RegExp(`^Capacity: +${capacityBytes / mib} MBytes$`, "mu"));
      const raw = path.join(vbox.folder, "out.img");
      await vbox.run("clonemedium", "disk", file, raw, "--format", "RAW");
      const read = await readFile(raw);
      assert.equal(read.length, content.length);
      assert.ok(read.equals(content), "another content");
    });
  }
});
