/** qcow2 images made here entry by entry, so that each can be wrong in one place; `test/kit` reads those of qemu-img. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as zlib from "node:zlib";
import fc from "fast-check";
import { contentOf, sourceOf } from "../../../test/support/memory-disk.ts";
import { isMachineError } from "../../errors/machine-error.ts";
import { openDisk } from "./open-disk.ts";

const { signal } = new AbortController();

/** What stands in one cluster of the guest's disk. */
type Kind = "hole" | "zero" | "plain" | "compressed";

interface Recipe {
  readonly version: 2 | 3;
  readonly clusterBits: number;
  readonly compression: "zlib" | "zstd";
  readonly clusters: readonly { readonly kind: Kind; readonly fill: number }[];
}

interface Made {
  readonly image: Buffer;
  readonly content: Buffer;
  /** Places of the tables, for damage. */
  readonly l1: number;
  readonly l2: number;
}

const copied = 1n << 63n;

/** A small writer of our own: header, first table, one second-level table, data. */
function qcow2({ version, clusterBits, compression, clusters }: Recipe): Made {
  const clusterBytes = 2 ** clusterBits;
  const content = Buffer.alloc(clusters.length * clusterBytes);
  const [l1, l2] = [clusterBytes, 2 * clusterBytes];
  const table = Buffer.alloc(clusterBytes);
  let data = Buffer.alloc(0);
  const start = 3 * clusterBytes;
  clusters.forEach(({ kind, fill }, index) => {
    const bytes = pattern(clusterBytes, fill);
    if (kind === "plain") {
      const aligned = Buffer.alloc(Math.ceil(data.length / clusterBytes) * clusterBytes);
      data.copy(aligned);
      table.writeBigUInt64BE(BigInt(start + aligned.length) | copied, index * 8);
      data = Buffer.concat([aligned, bytes]);
    }
    if (kind === "compressed") {
      const packed = compression === "zlib" ? zlib.deflateRawSync(bytes) : zlib.zstdCompressSync(bytes);
      const offset = start + data.length;
      const sectors = Math.floor((offset + packed.length - 1) / 512) - Math.floor(offset / 512);
      const offsetBits = BigInt(62 - (clusterBits - 8));
      table.writeBigUInt64BE((1n << 62n) | (BigInt(sectors) << offsetBits) | BigInt(offset), index * 8);
      // What follows at once is the next cluster's: a frame after a frame.
      data = Buffer.concat([data, packed]);
    }
    if (kind === "zero") table.writeBigUInt64BE(1n, index * 8);
    if (kind === "plain" || kind === "compressed") bytes.copy(content, index * clusterBytes);
  });
  const head = Buffer.alloc(clusterBytes);
  head.write("QFI\xfb", "latin1");
  head.writeUInt32BE(version, 4);
  head.writeUInt32BE(clusterBits, 20);
  head.writeBigUInt64BE(BigInt(content.length), 24);
  head.writeUInt32BE(1, 36);
  head.writeBigUInt64BE(BigInt(l1), 40);
  if (version === 3) {
    if (compression === "zstd") head.writeBigUInt64BE(8n, 72);
    head.writeUInt32BE(4, 96);
    head.writeUInt32BE(112, 100);
    head.writeUInt8(compression === "zstd" ? 1 : 0, 104);
  }
  const first = Buffer.alloc(clusterBytes);
  first.writeBigUInt64BE(BigInt(l2) | copied, 0);
  return { image: Buffer.concat([head, first, table, data]), content, l1, l2 };
}

/** Bytes that compress, and differ from cluster to cluster. */
function pattern(length: number, fill: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => (index * fill + (index >> 5)) & 0xff));
}

const ordinary: Recipe = {
  version: 3,
  clusterBits: 12,
  compression: "zlib",
  clusters: [
    { kind: "plain", fill: 1 },
    { kind: "hole", fill: 0 },
    { kind: "compressed", fill: 3 },
    { kind: "zero", fill: 0 },
    { kind: "compressed", fill: 5 },
    { kind: "plain", fill: 7 },
  ],
};

test("any mixture of clusters is read as it was written", async () => {
  const recipes = fc
    .record({
      version: fc.constantFrom(2 as const, 3 as const),
      clusterBits: fc.integer({ min: 9, max: 14 }),
      compression: fc.constantFrom("zlib" as const, "zstd" as const),
      clusters: fc.array(
        fc.record({
          kind: fc.constantFrom<Kind[]>("hole", "zero", "plain", "compressed"),
          fill: fc.integer({ min: 1, max: 250 }),
        }),
        { minLength: 1, maxLength: 24 },
      ),
    })
    // Version 2 knows neither zstd nor clusters marked as zero.
    .map((recipe): Recipe => {
      if (recipe.version === 3) return recipe;
      const clusters = recipe.clusters.map(({ kind, fill }) => ({ kind: kind === "zero" ? ("hole" as const) : kind, fill }));
      return { ...recipe, compression: "zlib", clusters };
    });
  await fc.assert(
    fc.asyncProperty(recipes, async (recipe) => {
      const { image, content } = qcow2(recipe);
      const disk = await openDisk(sourceOf(image), signal);
      assert.equal(disk.sizeBytes, content.length);
      assert.ok((await contentOf(disk, signal)).equals(content));
    }),
    { numRuns: 60 },
  );
});

test("a file that is cut anywhere is refused, or its content is what it was", async () => {
  const { image, content } = qcow2({ ...ordinary, clusterBits: 9 });
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 4, max: image.length - 1 }), async (length) => {
      const read = contentOfImage(image.subarray(0, length));
      const result = await read.catch((error: unknown) => error);
      if (result instanceof Buffer) assert.ok(result.equals(content));
      else assert.ok(isMachineError(result, "image-unusable"), String(result));
    }),
    { numRuns: 200 },
  );
});

test("whatever bits are wrong, the answer is a disk or a refusal, and soon", async () => {
  const { image } = qcow2({ ...ordinary, clusterBits: 9 });
  const damage = fc.array(fc.tuple(fc.integer({ min: 4, max: 3 * 512 - 1 }), fc.integer({ min: 0, max: 255 })), {
    minLength: 1,
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const damaged = Buffer.from(image);
      for (const [offset, byte] of changes) damaged[offset] = byte;
      const result = await openDisk(sourceOf(damaged), signal).catch((error: unknown) => error);
      if (result instanceof Error) assert.ok(isMachineError(result, "image-unusable"), String(result));
    }),
    { numRuns: 500 },
  );
});

async function contentOfImage(image: Buffer): Promise<Buffer> {
  return await contentOf(await openDisk(sourceOf(image), signal), signal);
}

/** One thing wrong, and what is said of it. */
const damages: Readonly<
  Record<string, { readonly harm: (made: Made) => Buffer; readonly said: RegExp; readonly hint?: RegExp }>
> = {
  "a backing file": { harm: header64(8, 0x200n), said: /based on another file/u, hint: /qemu-img convert/u },
  "an external data file": { harm: header64(72, 4n), said: /data is in another file/u, hint: /qemu-img convert/u },
  "encryption by AES": { harm: header32(32, 1), said: /encrypted/u },
  "encryption by LUKS": { harm: header32(32, 2), said: /encrypted/u },
  "the mark of corruption": { harm: header64(72, 2n), said: /marked as corrupt/u, hint: /qemu-img check -r/u },
  "extended L2 entries": { harm: header64(72, 16n), said: /extended L2/u },
  "an unknown feature": { harm: header64(72, 1n << 63n), said: /unknown here \(bit 63\)/u },
  "version 4": { harm: header32(4, 4), said: /version 4/u },
  "clusters of 4 GiB": { harm: header32(20, 32), said: /clusters of 2\^32/u },
  "clusters of 256 bytes": { harm: header32(20, 8), said: /clusters of 2\^8/u },
  "a disk of nothing": { harm: header64(24, 0n), said: /disk is empty/u },
  "a disk of 16 EiB": { harm: header64(24, (1n << 64n) - 1n), said: /impossible/u },
  "a disk larger than its tables may be": { harm: header64(24, 1n << 52n), said: /too large for its clusters/u },
  "a disk larger than its table is": { harm: header64(24, 1n << 30n), said: /first table is too short/u },
  "a first table past the end": { harm: header64(40, 1n << 40n), said: /truncated/u },
  "a first table at an odd place": { harm: header64(40, 0x1001n), said: /impossible place/u },
  "a header of 0 bytes": { harm: header32(100, 0), said: /header of 0 bytes/u },
  "an unknown compression": {
    harm: (made) => header8(104, 2)({ ...made, image: header64(72, 8n)(made) }),
    said: /compression 2/u,
  },
  "reserved bits in the first table": { harm: entry(({ l1 }) => l1, 0x2001n), said: /entry 0 of the first/u },
  "a table at an odd place": { harm: entry(({ l1 }) => l1, 0x2200n), said: /entry 0 of the first/u },
  "a table past the end": { harm: entry(({ l1 }) => l1, 0x10_0000n), said: /truncated/u },
  "a cluster at an odd place": { harm: entry(({ l2 }) => l2, 0x3200n), said: /entry of cluster 0/u },
  "a cluster past the end": { harm: entry(({ l2 }) => l2, 0x10_0000n), said: /truncated/u },
  "a compressed cluster past the end": { harm: entry(({ l2 }) => l2, (1n << 62n) | 0x10_0000n), said: /truncated/u },
  "a cluster named again and again": {
    harm: ({ image, l2 }) => {
      const harmed = Buffer.concat([image]);
      harmed.writeBigUInt64BE(512n * 4096n, 24);
      for (let index = 0; index < 512; index += 1) harmed.writeBigUInt64BE(0x3000n | copied, l2 + index * 8);
      return harmed;
    },
    said: /more data than it holds/u,
  },
};

function header8(at: number, value: number): (made: Made) => Buffer {
  return ({ image }) => changed(image, (bytes) => bytes.writeUInt8(value, at));
}
function header32(at: number, value: number): (made: Made) => Buffer {
  return ({ image }) => changed(image, (bytes) => bytes.writeUInt32BE(value, at));
}
function header64(at: number, value: bigint): (made: Made) => Buffer {
  return ({ image }) => changed(image, (bytes) => bytes.writeBigUInt64BE(value, at));
}
function entry(at: (made: Made) => number, value: bigint): (made: Made) => Buffer {
  return (made) => changed(made.image, (bytes) => bytes.writeBigUInt64BE(value, at(made)));
}
function changed(image: Buffer, change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(image);
  change(bytes);
  return bytes;
}

describe("refused before anything is read from it", () => {
  for (const [what, { harm, said, hint }] of Object.entries(damages)) {
    test(what, async () => {
      await assert.rejects(openDisk(sourceOf(harm(qcow2(ordinary))), signal), (error) => {
        assert.ok(isMachineError(error, "image-unusable"), String(error));
        assert.match(error.message, said);
        assert.match(error.hint ?? "", hint ?? /./u);
        return true;
      });
    });
  }
});

test("many first-level entries that name one table are refused before they are followed", async () => {
  const made = qcow2({ ...ordinary, clusterBits: 9, clusters: [{ kind: "hole", fill: 0 }] });
  const entries = 100_000;
  const table = Buffer.alloc(entries * 8);
  for (let index = 0; index < entries; index += 1) table.writeBigUInt64BE(BigInt(made.l2), index * 8);
  const image = Buffer.concat([made.image, table]);
  image.writeBigUInt64BE(BigInt(entries) * 64n * 512n, 24);
  image.writeUInt32BE(entries, 36);
  image.writeBigUInt64BE(BigInt(made.image.length), 40);
  await assert.rejects(openDisk(sourceOf(image), signal), /more than it has room for/u);
});

test("a compressed cluster that is damaged, too long or too short is told when it is read", async () => {
  for (const compression of ["zlib", "zstd"] as const) {
    const made = qcow2({ ...ordinary, compression, clusters: [{ kind: "compressed", fill: 3 }] });
    const start = 3 * 4096;
    for (const bytes of [Buffer.alloc(4097, 1), Buffer.alloc(4095, 1), Buffer.alloc(1 << 24)]) {
      const packed = compression === "zlib" ? zlib.deflateRawSync(bytes) : zlib.zstdCompressSync(bytes);
      const image = Buffer.concat([made.image.subarray(0, start), packed]);
      image.writeBigUInt64BE((1n << 62n) | (7n << 58n) | BigInt(start), made.l2);
      await assert.rejects(contentOfImage(image), /damaged: cluster 0 is not what/u);
    }
    const spoilt = changed(made.image, (image) => image.fill(0xff, start));
    await assert.rejects(contentOfImage(spoilt), { code: "image-unusable" });
  }
});

test("a zstd frame that wants much memory is refused", async () => {
  const bytes = pattern(4096, 3);
  const params = { [zlib.constants.ZSTD_c_windowLog]: 27, [zlib.constants.ZSTD_c_contentSizeFlag]: 0 };
  const stream = zlib.createZstdCompress({ params });
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  // Of unknown length: else the window is made no larger than the content.
  stream.write(bytes.subarray(0, 1000));
  stream.end(bytes.subarray(1000));
  await new Promise((resolve) => stream.on("end", resolve));
  const made = qcow2({ ...ordinary, compression: "zstd", clusters: [{ kind: "compressed", fill: 3 }] });
  const image = Buffer.concat([made.image.subarray(0, 3 * 4096), ...chunks]);
  image.writeBigUInt64BE((1n << 62n) | (7n << 58n) | BigInt(3 * 4096), made.l2);
  await assert.rejects(contentOfImage(image), { code: "image-unusable" });
});

test("an aborted signal ends opening and reading", async () => {
  const aborted = AbortSignal.abort(new Error("enough"));
  const { image } = qcow2(ordinary);
  await assert.rejects(openDisk(sourceOf(image), aborted), /enough/u);
  const disk = await openDisk(sourceOf(image), signal);
  await assert.rejects(contentOf(disk, aborted), /enough/u);
});
