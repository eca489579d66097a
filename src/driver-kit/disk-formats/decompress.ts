/** Decompresses clusters of qcow2 files, on other threads. Never makes more than a cluster's bytes. */
import * as zlib from "node:zlib";
import { MachineError } from "../../errors/machine-error.ts";
import type { Compression } from "./qcow2-header.ts";
import { zstdFrameIn } from "./zstd-frame.ts";

/** The highest ordinary level of zstd needs 8 MiB; more is what hostile frames ask for. */
const mostWindowBytes = 8 << 20;

/** The cluster's bytes, or undefined when what is given does not hold exactly one cluster. Bytes after it are ignored. */
export async function decompressCluster(
  compressed: Buffer,
  compression: Compression,
  clusterBytes: number,
): Promise<Buffer | undefined> {
  const cluster = await (compression === "zlib" ? inflate(compressed, clusterBytes) : unzstd(compressed, clusterBytes));
  return cluster?.length === clusterBytes ? cluster : undefined;
}

/** Throws `image-unusable` where this runtime cannot decompress what the image holds. */
export function requireDecompressor(name: string, compression: Compression): void {
  // Node 22.15 and later, and Bun 1.2.14 and later have it; a library's user may run another.
  if (compression !== "zstd" || typeof (zlib as { zstdDecompress?: unknown }).zstdDecompress === "function") return;
  throw new MachineError("image-unusable", `The image ${name} cannot be used: this runtime cannot decompress zstd`, {
    hint: "Use Node 22.15 or newer, or rewrite the image: qemu-img convert -O qcow2 -c -o compression_type=zlib IMAGE NEW.",
  });
}

async function inflate(compressed: Buffer, clusterBytes: number): Promise<Buffer | undefined> {
  return await new Promise((resolve) => {
    // One byte more than is right, so that the output is one chunk and needs no copying.
    const options = { maxOutputLength: clusterBytes, chunkSize: Math.max(64, clusterBytes + 1) };
    zlib.inflateRaw(compressed, options, (error, bytes) => resolve(error === null ? bytes : undefined));
  });
}

async function unzstd(compressed: Buffer, clusterBytes: number): Promise<Buffer | undefined> {
  const frame = zstdFrameIn(compressed);
  if (frame === undefined || frame.windowBytes > mostWindowBytes) return undefined;
  return await new Promise((resolve) => {
    const options = { maxOutputLength: clusterBytes, chunkSize: Math.max(64, clusterBytes + 1) };
    zlib.zstdDecompress(compressed.subarray(0, frame.lengthBytes), options, (error, bytes) =>
      resolve(error === null ? bytes : undefined),
    );
  });
}
