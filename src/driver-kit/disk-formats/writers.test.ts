/** What the writers promise, without a second reader; `test/kit` has qemu-img read what they write. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { contentOf, diskOf, MemorySink, sourceOf } from "../../../test/support/memory-disk.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { writeInOrder } from "../../system/random-access.ts";
import type { VirtualDisk } from "./disk.ts";
import { writeDynamicVhd } from "./dynamic-vhd.ts";
import { writeFixedVhd } from "./fixed-vhd.ts";
import { vhdFooter, vhdGeometry } from "./vhd-footer.ts";
import { writeFlatVmdk } from "./flat-vmdk.ts";
import { openDisk } from "./open-disk.ts";
import { inOrder } from "./read-ahead.ts";
import { streamOptimizedVmdk } from "./stream-optimized-vmdk.ts";
import { feedRaw, writeRaw } from "./write-raw.ts";

const { signal } = new AbortController();
const uuid = "f1aabbcc-0011-4233-8445-66778899aabb";
const sector = 512;

interface Sample {
  readonly disk: VirtualDisk;
  readonly content: Buffer;
  readonly capacityBytes: number;
}

/** Disks of pieces of any size at any sector, some of zeros, and capacities from the disk's own size on. */
const samples: fc.Arbitrary<Sample> = fc
  .record({
    parts: fc.array(fc.record({ gap: fc.nat(300), sectors: fc.integer({ min: 1, max: 300 }), fill: fc.nat(255) }), {
      maxLength: 6,
    }),
    rest: fc.nat(200),
    more: fc.nat(400),
  })
  .map(({ parts, rest, more }) => {
    let end = 0;
    const placed = parts.map(({ gap, sectors, fill }) => {
      const offset = end + gap * sector;
      end = offset + sectors * sector;
      return { offset, bytes: Buffer.alloc(sectors * sector, fill) };
    });
    const content = Buffer.alloc(end + (rest + 1) * sector);
    for (const { offset, bytes } of placed) bytes.copy(content, offset);
    return { disk: diskOf(placed, content.length), content, capacityBytes: content.length + more * sector };
  });

test("raw, VHD and flat VMDK hold the disk and then zeros, the stream for a program too", async () => {
  await fc.assert(
    fc.asyncProperty(samples, async ({ disk, content, capacityBytes }) => {
      const expected = Buffer.concat([content, Buffer.alloc(capacityBytes - content.length)]);
      const [raw, vhd, extent, descriptor] = [new MemorySink(), new MemorySink(), new MemorySink(), new MemorySink()];
      await writeRaw(disk, raw, capacityBytes, signal);
      assert.ok(raw.bytes.equals(expected));
      await writeFixedVhd(disk, vhd, { capacityBytes, uuid }, signal);
      assert.ok(vhd.bytes.equals(Buffer.concat([expected, vhdFooter(capacityBytes, uuid)])));
      await writeFlatVmdk(disk, { descriptor, extent }, { capacityBytes, uuid, extentName: "a-flat.vmdk" }, signal);
      assert.ok(extent.bytes.equals(expected));
      assert.match(descriptor.bytes.toString(), new RegExp(`^RW ${capacityBytes / sector} FLAT "a-flat.vmdk" 0$`, "mu"));
      assert.ok((await fed(disk, capacityBytes)).equals(expected));
    }),
    { numRuns: 30 },
  );
});

test("a dynamic VHD holds the same by its table, and its footer at both ends", async () => {
  await fc.assert(
    fc.asyncProperty(samples, async ({ disk, content, capacityBytes }) => {
      const sink = new MemorySink();
      await writeDynamicVhd(disk, sink, { capacityBytes, uuid }, signal);
      const { bytes } = sink;
      const footer = vhdFooter(capacityBytes, uuid, "dynamic");
      assert.ok(bytes.subarray(0, 512).equals(footer) && bytes.subarray(-512).equals(footer));
      const [table, block] = [Number(bytes.readBigUInt64BE(512 + 16)), bytes.readUInt32BE(512 + 32)];
      const read = Buffer.alloc(bytes.readUInt32BE(512 + 28) * block);
      for (let index = 0; index * block < read.length; index += 1) {
        const at = bytes.readUInt32BE(table + index * 4) * sector;
        if (at !== 0xffff_ffff * sector) bytes.copy(read, index * block, at + sector, at + sector + block);
      }
      assert.ok(read.subarray(0, content.length).equals(content));
      assert.ok(read.subarray(content.length).every((byte) => byte === 0));
    }),
    { numRuns: 30 },
  );
});

async function fed(disk: VirtualDisk, capacityBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await feedRaw(disk, async (bytes) => void chunks.push(Uint8Array.from(bytes)), capacityBytes, signal);
  return Buffer.concat(chunks);
}

test("a streamOptimized VMDK read from its end gives the disk back", async () => {
  await fc.assert(
    fc.asyncProperty(samples, fc.constantFrom(0, 1, 6, 9), async ({ disk, content, capacityBytes }, level) => {
      const sink = new MemorySink();
      await writeInOrder(sink, streamOptimizedVmdk(disk, { capacityBytes, uuid, level }, signal));
      const grains = Math.ceil(capacityBytes / 65_536);
      const expected = Buffer.concat([content, Buffer.alloc(grains * 65_536 - content.length)]);
      assert.ok(readStreamOptimized(sink.bytes).equals(expected));
    }),
    { numRuns: 30 },
  );
});

/** Follows footer, directory, tables and grains, as a reader that can seek does. */
function readStreamOptimized(file: Buffer): Buffer {
  const footer = file.subarray(file.length - 2 * sector);
  assert.equal(footer.toString("latin1", 0, 4), "KDMV");
  const content = Buffer.alloc(Number(footer.readBigUInt64LE(12)) * sector);
  const directory = Number(footer.readBigUInt64LE(56)) * sector;
  for (let table = 0; table * 512 * 65_536 < content.length; table += 1) {
    const tableAt = file.readUInt32LE(directory + table * 4) * sector;
    const entries = tableAt === 0 ? 0 : 512;
    for (let index = 0; index < entries; index += 1) {
      const grainAt = file.readUInt32LE(tableAt + index * 4) * sector;
      if (grainAt === 0) continue;
      const offset = (table * 512 + index) * 65_536;
      assert.equal(file.readBigUInt64LE(grainAt), BigInt(offset / sector));
      zlib.inflateSync(file.subarray(grainAt + 12, grainAt + 12 + file.readUInt32LE(grainAt + 8))).copy(content, offset);
    }
  }
  return content;
}

test("a capacity below the image's size, or above the format's, is refused before anything is written", async () => {
  const disk = diskOf([], 8 << 20);
  const sink = new MemorySink();
  const tooSmall = (error: unknown): boolean =>
    isMachineError(error, "driver-options") &&
    error.message === "A disk of 4 MiB is too small for its image of 8 MiB" &&
    /at least 8 MiB/u.test(error.hint ?? "");
  const capacityBytes = 4 << 20;
  await assert.rejects(writeRaw(disk, sink, capacityBytes, signal), tooSmall);
  await assert.rejects(fed(disk, capacityBytes), tooSmall);
  await assert.rejects(writeFixedVhd(disk, sink, { capacityBytes, uuid }, signal), tooSmall);
  const sinks = { descriptor: sink, extent: sink };
  await assert.rejects(writeFlatVmdk(disk, sinks, { capacityBytes, uuid, extentName: "a" }, signal), tooSmall);
  assert.throws(() => streamOptimizedVmdk(disk, { capacityBytes, uuid, level: 1 }, signal), tooSmall);
  await assert.rejects(writeRaw(disk, sink, Number.NaN, signal), { code: "driver-options" });
  const tooLarge = /: A disk of \d+ MiB is too large for a V/u;
  await assert.rejects(writeFixedVhd(disk, sink, { capacityBytes: 2 ** 41, uuid }, signal), tooLarge);
  assert.throws(() => streamOptimizedVmdk(disk, { capacityBytes: 2 ** 41, uuid, level: 1 }, signal), tooLarge);
  assert.equal(sink.bytes.length, 0);
});

test("a flat VMDK does not name a file elsewhere", async () => {
  const sinks = { descriptor: new MemorySink(), extent: new MemorySink() };
  for (const extentName of ['a".vmdk', "../a.vmdk", "c:\\a.vmdk", "a\nRW 1 FLAT b 0"]) {
    await assert.rejects(
      writeFlatVmdk(diskOf([], 1 << 20), sinks, { capacityBytes: 1 << 20, uuid, extentName }, signal),
      /cannot name a disk file/u,
    );
  }
});

test("the geometry of a VHD is the specification's", () => {
  const of = (bytes: number): number[] => {
    const { cylinders, heads, sectors } = vhdGeometry(bytes / sector);
    return [cylinders, heads, sectors];
  };
  // Its appendix, worked by hand; qemu-img rounds up where it may round the size too.
  assert.deepEqual(of(4 << 20), [120, 4, 17]);
  assert.deepEqual(of(10 << 20), [301, 4, 17]);
  assert.deepEqual(of(1 << 30), [2080, 16, 63]);
  assert.deepEqual(of(127 * 2 ** 30), [65_278, 16, 255]);
  assert.deepEqual(of(2040 * 2 ** 30), [65_535, 16, 255]);
});

test("the checksum of a VHD's footer is right", () => {
  const footer = vhdFooter(1 << 30, uuid);
  const sum = footer.reduce((total, byte, index) => (index >= 64 && index < 68 ? total : total + byte), 0);
  assert.equal(footer.readUInt32BE(64), ~sum >>> 0);
  assert.equal(footer.toString("hex", 68, 84), uuid.replaceAll("-", ""));
});

test("files that are no disk are told by what they are", async () => {
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [Buffer.alloc(0), /it is empty/u],
    [Buffer.from("<!doctype html>"), /no whole number of sectors/u],
    [Buffer.from("KDMV".padEnd(512)), /it is a VMDK, not qcow2 or raw/u],
    [Buffer.from("vhdxfile".padEnd(512)), /it is a VHDX/u],
    [zlib.gzipSync("disk"), /compressed by gzip/u],
    [zlib.zstdCompressSync("disk"), /compressed by zstd/u],
    [Buffer.from("QFI\xfb", "latin1"), /truncated/u],
  ];
  for (const [bytes, said] of cases) {
    await assert.rejects(openDisk(sourceOf(bytes), signal), (error) => {
      assert.ok(isMachineError(error, "image-unusable"));
      assert.match(error.message, said);
      return error.hint !== undefined;
    });
  }
});

test("a raw image is its own content, and one that shrinks meanwhile is told", async () => {
  const bytes = Buffer.alloc(3 << 20, 7);
  const whole = await openDisk(sourceOf(bytes), signal);
  assert.equal(whole.format, "raw");
  assert.ok((await contentOf(whole, signal)).equals(bytes));
  const shrunk = await openDisk({ ...sourceOf(bytes.subarray(0, 2 << 20)), sizeBytes: bytes.length }, signal);
  await assert.rejects(contentOf(shrunk, signal), /truncated/u);
});

test("an abort in the middle ends each writer with the signal's reason", async () => {
  const parts = Array.from({ length: 40 }, (_, index) => ({ offset: index << 20, bytes: Buffer.alloc(1 << 20, 1 + index) }));
  const disk = diskOf(parts, 40 << 20);
  const capacityBytes = disk.sizeBytes;
  const writers: readonly ((stop: AbortController) => Promise<void>)[] = [
    async (stop) => await writeRaw(disk, aborting(stop), capacityBytes, stop.signal),
    async (stop) => await writeFixedVhd(disk, aborting(stop), { capacityBytes, uuid }, stop.signal),
    async (stop) => await feedRaw(disk, async () => stop.abort(new Error("enough")), capacityBytes, stop.signal),
    async (stop) => await writeInOrder(aborting(stop), streamOptimizedVmdk(disk, { capacityBytes, uuid, level: 0 }, stop.signal)),
  ];
  for (const write of writers) await assert.rejects(write(new AbortController()), /enough/u);
});

/** A sink whose first write is somebody's moment to press Ctrl-C. */
function aborting(stop: AbortController): MemorySink {
  const sink = new MemorySink();
  sink.write = async () => stop.abort(new Error("enough"));
  return sink;
}

test("what is read ahead is bounded, in order, and over when the reader leaves", async () => {
  let [running, most, ended] = [0, 0, 0];
  async function* items(): AsyncGenerator<number> {
    for (let item = 0; item < 200; item += 1) yield item;
  }
  const work = async (item: number): Promise<number> => {
    running += 1;
    most = Math.max(most, running);
    // The later, the sooner it is done.
    for (let turn = 0; turn < 20 - (item % 20); turn += 1) await Promise.resolve();
    running -= 1;
    ended += 1;
    return item;
  };
  const seen: number[] = [];
  for await (const item of inOrder(items(), () => 1 << 20, work, signal)) {
    seen.push(item);
    if (item === 99) break;
  }
  assert.deepEqual(seen, [...Array(100).keys()]);
  assert.ok(most >= 2 && most <= 4, `${most} MiB at a time`);
  assert.equal(running, 0);
  assert.ok(ended <= 104);
});
