/** Disk formats against qemu-img: it makes what ours reads, and reads what ours writes. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { after, describe, test } from "node:test";
import { writeDynamicVhd } from "../../src/driver-kit/disk-formats/dynamic-vhd.ts";
import { writeFixedVhd } from "../../src/driver-kit/disk-formats/fixed-vhd.ts";
import { writeFlatVmdk } from "../../src/driver-kit/disk-formats/flat-vmdk.ts";
import { openDisk } from "../../src/driver-kit/disk-formats/open-disk.ts";
import { streamOptimizedVmdk } from "../../src/driver-kit/disk-formats/stream-optimized-vmdk.ts";
import { writeRaw } from "../../src/driver-kit/disk-formats/write-raw.ts";
import { isMachineError } from "../../src/errors/machine-error.ts";
import { openByteSource, writeInOrder, writeNewFile, type ByteSource } from "../../src/system/random-access.ts";

const { signal } = new AbortController();
const uuid = "f1aabbcc-0011-4233-8445-66778899aabb";
const mib = 1 << 20;
const scratch = mkdtempSync(path.join(tmpdir(), "docker-machine-disk-formats-"));
after(() => rmSync(scratch, { recursive: true, force: true }));
const at = (name: string): string => path.join(scratch, name);

const skip = spawnSync("qemu-img", ["--version"]).status === 0 ? false : "qemu-img is not installed";

function qemuImg(...args: readonly string[]): string {
  return execFileSync("qemu-img", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** A disk of 97 MiB and a sector: programs, holes, zeros that were written, what does not compress, and something at its very end. */
const samplePath = at("sample.raw");
const sampleBytes = 97 * mib + 512;
if (skip === false) makeSample();

function makeSample(): void {
  const program = readFileSync(process.execPath).subarray(0, 24 * mib);
  const file = openSync(samplePath, "w");
  writeSync(file, program, 0, 7 * mib + 1000, 0);
  writeSync(file, Buffer.alloc(3 * mib), 0, 3 * mib, 16 * mib);
  let state = 1;
  const noise = Buffer.from(
    Uint32Array.from({ length: mib / 2 }, () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0)).buffer,
  );
  writeSync(file, noise, 0, noise.length, 33 * mib + 512 * 7);
  writeSync(file, program, 8 * mib, 9 * mib, 64 * mib + 512);
  writeSync(file, Buffer.alloc(512, 0xee), 0, 512, sampleBytes - 512);
  closeSync(file);
}

interface Variant {
  readonly name: string;
  readonly options: string;
  readonly isCompressed: boolean;
}

/** Clusters of the least, the usual and the most bytes. */
const variants: readonly Variant[] = [
  { name: "version 2, clusters of 512", options: "compat=0.10,cluster_size=512", isCompressed: false },
  { name: "version 3, zstd, clusters of 512", options: "compression_type=zstd,cluster_size=512", isCompressed: true },
  ...[4096, 65_536, 2 * mib].flatMap((cluster): Variant[] => [
    { name: `version 2, clusters of ${cluster}`, options: `compat=0.10,cluster_size=${cluster}`, isCompressed: false },
    { name: `version 3, clusters of ${cluster}`, options: `compat=1.1,cluster_size=${cluster}`, isCompressed: false },
    { name: `version 2, zlib, clusters of ${cluster}`, options: `compat=0.10,cluster_size=${cluster}`, isCompressed: true },
    { name: `version 3, zlib, clusters of ${cluster}`, options: `compat=1.1,cluster_size=${cluster}`, isCompressed: true },
    {
      name: `version 3, zstd, clusters of ${cluster}`,
      options: `compression_type=zstd,cluster_size=${cluster}`,
      isCompressed: true,
    },
  ]),
  { name: "preallocated tables", options: "preallocation=metadata", isCompressed: false },
  { name: "lazy reference counts", options: "lazy_refcounts=on", isCompressed: false },
  { name: "reference counts of one bit", options: "refcount_bits=1", isCompressed: false },
];

async function withDisk<T>(
  file: string,
  work: (disk: Awaited<ReturnType<typeof openDisk>>, source: ByteSource) => Promise<T>,
): Promise<T> {
  await using source = await openByteSource(file);
  return await work(await openDisk(source, signal), source);
}

describe("what qemu-img makes, ours reads", { skip }, () => {
  for (const [index, { name, options, isCompressed }] of variants.entries()) {
    test(name, async () => {
      const [image, raw] = [at(`image-${index}.qcow2`), at(`image-${index}.raw`)];
      qemuImg("convert", "-f", "raw", "-O", "qcow2", ...(isCompressed ? ["-c"] : []), "-o", options, samplePath, image);
      await withDisk(image, async (disk) => {
        assert.equal(disk.format, "qcow2");
        assert.equal(disk.sizeBytes, sampleBytes);
        await writeNewFile(raw, async (sink) => await writeRaw(disk, sink, disk.sizeBytes, signal));
      });
      assert.equal(statSync(raw).size, sampleBytes);
      qemuImg("compare", "-f", "raw", "-F", "raw", samplePath, raw);
      rmSync(image);
      rmSync(raw);
    });
  }

  test("an image with a snapshot gives what is on the disk now", async () => {
    const [image, raw] = [at("snapshot.qcow2"), at("snapshot.raw")];
    qemuImg("convert", "-O", "qcow2", samplePath, image);
    qemuImg("snapshot", "-c", "before", image);
    execFileSync("qemu-io", ["-c", "write -P 0x5a 1M 2M", "-c", "discard 64M 1M", "-c", "write -z 65M 1M", image]);
    await withDisk(
      image,
      async (disk) => await writeNewFile(raw, async (sink) => await writeRaw(disk, sink, disk.sizeBytes, signal)),
    );
    qemuImg("compare", "-f", "qcow2", "-F", "raw", image, raw);
  });
});

describe("what ours writes, qemu-img reads", { skip }, () => {
  const capacityBytes = 160 * mib;
  const image = at("source.qcow2");
  if (skip === false) qemuImg("convert", "-O", "qcow2", "-c", samplePath, image);

  /** The same bytes, and zeros behind them. */
  function isTheDisk(format: string, file: string): void {
    assert.match(qemuImg("compare", "-f", "raw", "-F", format, samplePath, file), /Images are identical/u);
    const info = JSON.parse(qemuImg("info", "--output=json", "-f", format, file)) as { readonly "virtual-size": number };
    assert.equal(info["virtual-size"], capacityBytes);
  }

  test("raw, sparse", async () => {
    const file = at("out.raw");
    await withDisk(
      image,
      async (disk) => await writeNewFile(file, async (sink) => await writeRaw(disk, sink, capacityBytes, signal)),
    );
    isTheDisk("raw", file);
    assert.ok(statSync(file).blocks * 512 < 20 * mib);
  });

  test("fixed VHD", async () => {
    const file = at("out.vhd");
    await withDisk(
      image,
      async (disk) => await writeNewFile(file, async (sink) => await writeFixedVhd(disk, sink, { capacityBytes, uuid }, signal)),
    );
    isTheDisk("vpc", file);
  });

  test("dynamic VHD, without holes and no larger than what it holds", async () => {
    const file = at("dynamic.vhd");
    await withDisk(
      image,
      async (disk) =>
        await writeNewFile(file, async (sink) => await writeDynamicVhd(disk, sink, { capacityBytes, uuid }, signal)),
    );
    isTheDisk("vpc", file);
    assert.match(qemuImg("info", "-f", "vpc", file), /cluster_size: 2097152/u);
    assert.ok(statSync(file).size < 30 * mib, String(statSync(file).size));
    assert.ok(statSync(file).blocks * 512 >= statSync(file).size);
  });

  test("a dynamic VHD of 2 TB", async () => {
    const file = at("large.vhd");
    const large = 2000 * 1024 * mib;
    await withDisk(
      image,
      async (disk) =>
        await writeNewFile(file, async (sink) => await writeDynamicVhd(disk, sink, { capacityBytes: large, uuid }, signal)),
    );
    assert.match(qemuImg("info", "-f", "vpc", file), /virtual size: 1.95 TiB/u);
  });

  test("monolithicFlat VMDK", async () => {
    const file = at("out.vmdk");
    await withDisk(image, async (disk) => {
      await writeNewFile(at("out-flat.vmdk"), async (extent) => {
        await writeNewFile(file, async (descriptor) => {
          await writeFlatVmdk(disk, { descriptor, extent }, { capacityBytes, uuid, extentName: "out-flat.vmdk" }, signal);
        });
      });
    });
    isTheDisk("vmdk", file);
    assert.match(qemuImg("info", file), /create type: monolithicFlat/u);
  });

  for (const level of [0, 1, 6]) {
    test(`streamOptimized VMDK, level ${level}`, async () => {
      const file = at(`stream-${level}.vmdk`);
      await withDisk(image, async (disk) => {
        const stream = streamOptimizedVmdk(disk, { capacityBytes, uuid, level }, signal);
        await writeNewFile(file, async (sink) => await writeInOrder(sink, stream));
      });
      isTheDisk("vmdk", file);
      assert.match(qemuImg("check", "-f", "vmdk", file), /No errors were found/u);
      assert.match(qemuImg("info", file), /create type: streamOptimized/u);
    });
  }

  test("a VMDK of 1.9 TiB, most of it in no table", async () => {
    const file = at("large.vmdk");
    await withDisk(image, async (disk) => {
      const stream = streamOptimizedVmdk(disk, { capacityBytes: 1945 * 1024 * mib, uuid, level: 1 }, signal);
      await writeNewFile(file, async (sink) => await writeInOrder(sink, stream));
    });
    assert.match(qemuImg("info", file), /virtual size: 1.9 TiB/u);
    assert.match(qemuImg("check", "-f", "vmdk", file), /No errors were found/u);
  });
});

/** Images that qemu-img makes and reads, and that ours refuses, or that are damaged afterwards. */
const refusals: Readonly<Record<string, { readonly make: (file: string) => void; readonly said: RegExp }>> = {
  "a backing file": {
    make: (file) => void qemuImg("create", "-q", "-f", "qcow2", "-F", "raw", "-b", samplePath, file),
    said: /based on another file/u,
  },
  "an external data file": {
    make: (file) => void qemuImg("create", "-q", "-f", "qcow2", "-o", `data_file=${file}.data`, file, "16M"),
    said: /data is in another file/u,
  },
  "encryption by LUKS": {
    make: (file) =>
      void qemuImg(
        ...["create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=xyzzy"],
        ...["-o", "encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10", file, "16M"],
      ),
    said: /encrypted/u,
  },
  "extended L2 entries": {
    make: (file) => void qemuImg("create", "-q", "-f", "qcow2", "-o", "extended_l2=on", file, "16M"),
    said: /extended L2/u,
  },
  truncation: {
    make: (file) => {
      qemuImg("convert", "-O", "qcow2", samplePath, file);
      truncateSync(file, Math.floor(statSync(file).size / 2));
    },
    said: /truncated/u,
  },
  "truncation of a compressed image": {
    make: (file) => {
      qemuImg("convert", "-O", "qcow2", "-c", samplePath, file);
      truncateSync(file, Math.floor(statSync(file).size / 2));
    },
    said: /truncated/u,
  },
  "another format: VMDK": { make: (file) => void qemuImg("create", "-q", "-f", "vmdk", file, "16M"), said: /it is a VMDK/u },
  "another format: VHDX": { make: (file) => void qemuImg("create", "-q", "-f", "vhdx", file, "16M"), said: /it is a VHDX/u },
  "another format: VHD": {
    make: (file) => void qemuImg("create", "-q", "-f", "vpc", "-o", "subformat=dynamic", file, "16M"),
    said: /it is a VHD,/u,
  },
  "another format: VDI": { make: (file) => void qemuImg("create", "-q", "-f", "vdi", file, "16M"), said: /it is a VDI/u },
  "another format: QED": { make: (file) => void qemuImg("create", "-q", "-f", "qed", file, "16M"), said: /it is a QED/u },
};

describe("refused", { skip }, () => {
  for (const [what, { make, said }] of Object.entries(refusals)) {
    test(what, async () => {
      const file = at(`refused ${what.replaceAll(/\W/gu, "-")}`);
      make(file);
      await using source = await openByteSource(file);
      await assert.rejects(openDisk(source, signal), (error) => {
        assert.ok(isMachineError(error, "image-unusable"), String(error));
        assert.match(error.message, said);
        return error.hint !== undefined;
      });
    });
  }
});
