/** qcow2 images of version 2 and 3 that stand alone, compressed or not. Snapshots within are not looked at. */
import type { ByteSource } from "../../system/random-access.ts";
import { decompressCluster, requireDecompressor } from "./decompress.ts";
import { readExactly, unusable, type DiskPiece, type VirtualDisk } from "./disk.ts";
import { release } from "./memory.ts";
import { placeOfCluster, placeOfTable, type ClusterPlace } from "./qcow2-entry.ts";
import { readQcow2Header, type Qcow2Header } from "./qcow2-header.ts";

export { isQcow2 } from "./qcow2-header.ts";

const entryBytes = 8;
/** How much of the first table is in memory at a time. */
const l1ChunkEntries = 8192;
/** Clusters that follow each other in the file are read at once, up to this. */
const mostRunBytes = 1 << 20;

/** Opens the image and checks every entry of its tables. Throws `image-unusable`, or the signal's reason. */
export async function openQcow2(source: ByteSource, signal: AbortSignal): Promise<VirtualDisk> {
  const header = await readQcow2Header(source);
  const disk = new Qcow2Disk(source, header);
  await disk.check(signal);
  return disk;
}

interface L2Table {
  /** Number of the first cluster that it tells about. */
  readonly firstCluster: number;
  readonly offset: number;
}

class Qcow2Disk implements VirtualDisk {
  readonly format = "qcow2";
  readonly sizeBytes: number;
  readonly #source: ByteSource;
  readonly #header: Qcow2Header;
  readonly #clustersPerTable: number;

  constructor(source: ByteSource, header: Qcow2Header) {
    this.#source = source;
    this.#header = header;
    this.sizeBytes = header.sizeBytes;
    this.#clustersPerTable = header.clusterBytes / entryBytes;
  }

  /**
   * Looks at all tables. A file cannot hold more clusters than fit into it: one that names the same again and again would
   * keep us busy for years.
   */
  async check(signal: AbortSignal): Promise<void> {
    let plainBytes = 0;
    let isCompressed = false;
    for await (const piece of this.pieces(signal)) {
      if (piece.kind === "compressed") isCompressed = true;
      else plainBytes += piece.length;
      if (plainBytes > this.#source.sizeBytes) throw this.#impossible("they name more data than it holds");
    }
    if (isCompressed) requireDecompressor(this.#source.name, this.#header.compression);
  }

  async *pieces(signal: AbortSignal): AsyncGenerator<Qcow2Piece> {
    for await (const table of this.#tables(signal)) {
      const entries = await readExactly(this.#source, table.offset, this.#header.clusterBytes, "a table");
      yield* this.#piecesOf(table, entries);
    }
  }

  async *#tables(signal: AbortSignal): AsyncGenerator<L2Table> {
    const { l1Entries, l1Offset, clusterBytes } = this.#header;
    const roomFor = this.#source.sizeBytes / clusterBytes;
    let found = 0;
    for (let first = 0; first < l1Entries; first += l1ChunkEntries) {
      const count = Math.min(l1ChunkEntries, l1Entries - first);
      const chunk = await readExactly(this.#source, l1Offset + first * entryBytes, count * entryBytes, "its first table");
      for (let index = 0; index < count; index += 1) {
        signal.throwIfAborted();
        const offset = placeOfTable(chunk.readBigUInt64BE(index * entryBytes), this.#header);
        if (offset === undefined) continue;
        if (offset === "impossible") throw this.#impossible(`entry ${first + index} of the first`);
        found += 1;
        if (found > roomFor) throw this.#impossible("they are more than it has room for");
        yield { firstCluster: (first + index) * this.#clustersPerTable, offset };
      }
    }
  }

  *#piecesOf({ firstCluster }: L2Table, entries: Buffer): Generator<Qcow2Piece> {
    const clusters = Math.ceil(this.sizeBytes / this.#header.clusterBytes);
    const count = Math.min(this.#clustersPerTable, clusters - firstCluster);
    let run: Run | undefined;
    for (let index = 0; index < count; index += 1) {
      const place = this.#placeAt(entries, index, firstCluster);
      if (run !== undefined && (place?.kind !== "plain" || !this.#continues(run, place.offset))) {
        yield this.#plainPiece(run);
        run = undefined;
      }
      const cluster = firstCluster + index;
      if (place?.kind === "compressed") yield this.#compressedPiece(cluster, place);
      else if (place !== undefined) {
        run ??= { cluster, offset: place.offset, clusters: 0 };
        run.clusters += 1;
      }
    }
    if (run !== undefined) yield this.#plainPiece(run);
  }

  #placeAt(entries: Buffer, index: number, firstCluster: number): ClusterPlace | undefined {
    const position = index * entryBytes;
    // Most of a fresh disk is this.
    if (entries.readUInt32BE(position) === 0 && entries.readUInt32BE(position + 4) === 0) return undefined;
    const place = placeOfCluster(entries.readBigUInt64BE(position), this.#header);
    if (place === "impossible") throw this.#impossible(`entry of cluster ${firstCluster + index}`);
    if (place?.kind === "compressed" && place.offset >= this.#source.sizeBytes) throw this.#truncated();
    return place;
  }

  #continues({ offset, clusters }: Run, next: number): boolean {
    const { clusterBytes } = this.#header;
    return next === offset + clusters * clusterBytes && (clusters + 1) * clusterBytes <= mostRunBytes;
  }

  #plainPiece({ cluster, offset: at, clusters }: Run): Qcow2Piece {
    const { clusterBytes } = this.#header;
    const offset = cluster * clusterBytes;
    const length = Math.min(clusters * clusterBytes, this.sizeBytes - offset);
    if (at + length > this.#source.sizeBytes) throw this.#truncated();
    return { kind: "plain", offset, length, load: async () => await readExactly(this.#source, at, length, "its data") };
  }

  #compressedPiece(cluster: number, place: ClusterPlace & { readonly kind: "compressed" }): Qcow2Piece {
    const { clusterBytes } = this.#header;
    const offset = cluster * clusterBytes;
    const length = Math.min(clusterBytes, this.sizeBytes - offset);
    return {
      kind: "compressed",
      offset,
      length,
      load: async () => (await this.#decompress(cluster, place)).subarray(0, length),
    };
  }

  async #decompress(cluster: number, { offset, length }: ClusterPlace & { readonly kind: "compressed" }): Promise<Buffer> {
    const { compression, clusterBytes } = this.#header;
    const there = Math.min(length, this.#source.sizeBytes - offset);
    const compressed = await readExactly(this.#source, offset, there, "its data");
    const bytes = await decompressCluster(compressed, compression, clusterBytes);
    release(compressed);
    if (bytes === undefined) throw unusable(this.#source, `it is damaged: cluster ${cluster} is not what ${compression} makes`);
    return bytes;
  }

  #impossible(what: string): Error {
    return unusable(this.#source, `its tables are impossible: ${what}`);
  }

  #truncated(): Error {
    return unusable(this.#source, "it is truncated: it ends before its data");
  }
}

/** Clusters that follow each other on the disk and in the file. */
interface Run {
  readonly cluster: number;
  readonly offset: number;
  clusters: number;
}

interface Qcow2Piece extends DiskPiece {
  readonly kind: "plain" | "compressed";
}
