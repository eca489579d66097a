/**
 * streamOptimized VMDK, as vSphere takes it in an upload: compressed grains one after the other, each table after its
 * grains, the directory of tables at the end (VMware's Virtual Disk Format 5.0, "Stream-Optimized Compressed Sparse Extents").
 */
import * as zlib from "node:zlib";
import { MachineError } from "../../errors/machine-error.ts";
import { requireCapacity } from "./capacity.ts";
import { sectorBytes, type VirtualDisk } from "./disk.ts";
import { grainsOf, type Grain } from "./grains.ts";
import { release } from "./memory.ts";
import { inOrder } from "./read-ahead.ts";
import { vmdkDescriptor } from "./vmdk-descriptor.ts";

const grainBytes = 64 * 1024;
const grainsPerTable = 512;
const tableBytes = grainsPerTable * 4;
/** Sectors: the header, the description, and what is left free before the first grain. */
const layout = { descriptor: 1, descriptorSectors: 20, firstGrain: 128 } as const;
/** Places are sector numbers of 32 bits. */
const mostSectors = 2 ** 32;
/** So that the stream of a disk that nothing compresses still ends below that. */
const mostBytes = 2000 * 1024 ** 3;
const markerTypes = { endOfStream: 0, table: 1, directory: 2, footer: 3 } as const;

export interface StreamOptimizedOptions {
  /** Rounded up to whole grains of 64 KiB. */
  readonly capacityBytes: number;
  readonly uuid: string;
  /** Of zlib, 0–9: 6 makes the smallest reasonable stream, 1 the fastest. */
  readonly level: number;
}

/**
 * The disk as a stream, for a file or the body of an upload. Throws `driver-options` at once for a capacity below the
 * image's size or above 2000 GiB; while it is read `image-unusable`, or the signal's reason.
 */
export function streamOptimizedVmdk(
  disk: VirtualDisk,
  options: StreamOptimizedOptions,
  signal: AbortSignal,
): AsyncIterable<Buffer> {
  const capacity = requireCapacity(disk, options.capacityBytes, { format: "a VMDK", unitBytes: grainBytes, mostBytes });
  return stream(disk, { ...options, capacityBytes: capacity }, signal);
}

async function* stream(disk: VirtualDisk, options: StreamOptimizedOptions, signal: AbortSignal): AsyncGenerator<Buffer> {
  const tables = new Tables(options.capacityBytes);
  const compress = async ({ index, bytes }: Grain): Promise<{ readonly index: number; readonly chunk: Buffer }> => {
    const data = await deflate(bytes, options.level);
    release(bytes);
    const chunk = grainChunk(index, data);
    release(data);
    return { index, chunk };
  };
  const head = headOf(options);
  yield head;
  let position = head.length;
  for await (const { index, chunk } of inOrder(
    grainsOf(disk, grainBytes, signal),
    ({ bytes }) => bytes.length,
    compress,
    signal,
  )) {
    const table = tables.finishBefore(index, position);
    if (table !== undefined) {
      yield table;
      position += table.length;
    }
    tables.note(index, position);
    yield chunk;
    position += chunk.length;
  }
  const last = tables.finish(position);
  if (last !== undefined) {
    yield last;
    position += last.length;
  }
  yield* tailOf(options.capacityBytes, tables, position);
}

/** The table that is being filled, and the directory of those that are written. */
class Tables {
  readonly directory: Buffer;
  #table = Buffer.alloc(tableBytes);
  #index = 0;
  #isEmpty = true;

  constructor(capacityBytes: number) {
    const entries = Math.ceil(capacityBytes / (grainBytes * grainsPerTable));
    this.directory = Buffer.alloc(toSectors(entries * 4) * sectorBytes);
  }

  /** Notes where a grain begins, in the table that is being filled. */
  note(grain: number, position: number): void {
    this.#table.writeUInt32LE(sectorAt(position), (grain % grainsPerTable) * 4);
    this.#isEmpty = false;
  }

  /** What must be written at this position before a grain: the table before, when the grain is in another. */
  finishBefore(grain: number, position: number): Buffer | undefined {
    const index = Math.floor(grain / grainsPerTable);
    if (index === this.#index) return undefined;
    const table = this.finish(position);
    this.#index = index;
    return table;
  }

  /** The table that is being filled, unless it is empty: then its place in the directory stays 0. */
  finish(position: number): Buffer | undefined {
    if (this.#isEmpty) return undefined;
    const bytes = Buffer.concat([marker(markerTypes.table, tableBytes), this.#table]);
    this.directory.writeUInt32LE(sectorAt(position + sectorBytes), this.#index * 4);
    this.#table = Buffer.alloc(tableBytes);
    this.#isEmpty = true;
    return bytes;
  }
}

function headOf(options: StreamOptimizedOptions): Buffer {
  const { capacityBytes, uuid } = options;
  const head = Buffer.alloc(layout.firstGrain * sectorBytes);
  // Where the directory is stands in the footer.
  header(capacityBytes, 0xffff_ffff_ffff_ffffn).copy(head);
  const text = vmdkDescriptor({ createType: "streamOptimized", capacityBytes, uuid, extent: 'SPARSE "disk.vmdk"' });
  head.write(text, layout.descriptor * sectorBytes, "utf8");
  return head;
}

function header(capacityBytes: number, directorySector: bigint): Buffer {
  const bytes = Buffer.alloc(sectorBytes);
  bytes.write("KDMV", 0, "latin1");
  bytes.writeUInt32LE(3, 4); // version: what vSphere asks of compressed disks
  bytes.writeUInt32LE(0x0003_0001, 8); // flags: line ends can be checked, compressed, with markers
  bytes.writeBigUInt64LE(BigInt(capacityBytes / sectorBytes), 12);
  bytes.writeBigUInt64LE(BigInt(grainBytes / sectorBytes), 20);
  bytes.writeBigUInt64LE(BigInt(layout.descriptor), 28);
  bytes.writeBigUInt64LE(BigInt(layout.descriptorSectors), 36);
  bytes.writeUInt32LE(grainsPerTable, 44);
  bytes.writeBigUInt64LE(directorySector, 56);
  bytes.writeBigUInt64LE(BigInt(layout.firstGrain), 64);
  bytes.write("\n \r\n", 73, "latin1"); // what a transfer in text mode would change
  bytes.writeUInt16LE(1, 77); // deflate
  return bytes;
}

/** The directory, the header once more with the directory's place, and the end. */
function* tailOf(capacityBytes: number, { directory }: Tables, position: number): Generator<Buffer> {
  yield Buffer.concat([marker(markerTypes.directory, directory.length), directory]);
  yield marker(markerTypes.footer, sectorBytes);
  yield header(capacityBytes, BigInt(sectorAt(position + sectorBytes)));
  yield marker(markerTypes.endOfStream, 0);
}

/** A sector that says what the next ones are. */
function marker(type: number, lengthBytes: number): Buffer {
  const bytes = Buffer.alloc(sectorBytes);
  bytes.writeBigUInt64LE(BigInt(toSectors(lengthBytes)), 0);
  bytes.writeUInt32LE(type, 12);
  return bytes;
}

const grainMarkerBytes = 12;

function grainChunk(index: number, data: Buffer): Buffer {
  const bytes = Buffer.alloc(toSectors(grainMarkerBytes + data.length) * sectorBytes);
  bytes.writeBigUInt64LE(BigInt(index) * BigInt(grainBytes / sectorBytes), 0);
  bytes.writeUInt32LE(data.length, 8);
  data.copy(bytes, grainMarkerBytes);
  return bytes;
}

async function deflate(bytes: Buffer, level: number): Promise<Buffer> {
  return await new Promise((resolve, reject) => {
    zlib.deflate(bytes, { level, chunkSize: grainBytes }, (error, data) => (error === null ? resolve(data) : reject(error)));
  });
}

function toSectors(bytes: number): number {
  return Math.ceil(bytes / sectorBytes);
}

function sectorAt(position: number): number {
  const sector = position / sectorBytes;
  if (sector < mostSectors) return sector;
  throw new MachineError("driver-options", "The disk holds too much for a streamOptimized VMDK", {
    hint: "Give a smaller image.",
  });
}
