/** Reads the files of a CD image (ECMA-119) that lie in its root folder, for stand-ins that look at a guest's seed. */
import { readFileSync } from "node:fs";

const sectorBytes = 2048;

export interface CdContent {
  readonly label: string;
  readonly files: Readonly<Record<string, Buffer>>;
}

/** Undefined for what is no CD image. */
export function readCd(file: string): CdContent | undefined {
  const image = readFileSync(file);
  const descriptor = image.subarray(16 * sectorBytes, 17 * sectorBytes);
  if (descriptor.toString("latin1", 1, 6) !== "CD001") return undefined;
  const files: Record<string, Buffer> = {};
  for (const { name, data } of entriesOf(image, descriptor.subarray(156, 190))) files[name] = data;
  return { label: descriptor.toString("latin1", 40, 72).trim(), files };
}

function* entriesOf(image: Buffer, folder: Buffer): Generator<{ readonly name: string; readonly data: Buffer }> {
  const records = contentOf(image, folder);
  for (let at = 0; at < records.length && records.readUInt8(at) > 0; at += records.readUInt8(at)) {
    const record = records.subarray(at, at + records.readUInt8(at));
    const isFolder = (record.readUInt8(25) & 2) !== 0;
    const name = record.toString("latin1", 33, 33 + record.readUInt8(32));
    if (!isFolder) yield { name, data: contentOf(image, record) };
  }
}

function contentOf(image: Buffer, record: Buffer): Buffer {
  const start = record.readUInt32LE(2) * sectorBytes;
  return image.subarray(start, start + record.readUInt32LE(10));
}

/** What a seed for cloud-init's NoCloud tells; undefined for any other CD. */
export function readSeed(file: string): { readonly userData: string; readonly metaData: string } | undefined {
  const cd = readCd(file);
  const [userData, metaData] = [cd?.files["user-data"], cd?.files["meta-data"]];
  if (cd?.label !== "cidata" || userData === undefined || metaData === undefined) return undefined;
  return { userData: userData.toString("utf8"), metaData: metaData.toString("utf8") };
}
