/**
 * A CD image with a few small files (ECMA-119), as cloud-init's NoCloud source wants it: labelled `cidata`, one flat
 * folder. Names are written as they are, lower case and without versions: Linux's isofs, the only reader, shows them so.
 */
const sectorBytes = 2048;
/** The first sixteen sectors are the system's. */
const volumeSector = 16;
const pathTableSectors = { little: 18, big: 19 } as const;
const rootSector = 20;
const fileSector = 21;

/** The bytes of the image. All directory entries must fit into one sector: some forty files. */
export function isoImage(label: string, files: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const contents = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, content]) => ({ name, data: Buffer.from(content) }));
  let sector = fileSector;
  const placed = contents.map((file) => {
    const at = sector;
    sector += Math.max(1, Math.ceil(file.data.length / sectorBytes));
    return { ...file, at };
  });
  const image = Buffer.alloc(sector * sectorBytes);
  volumeDescriptor(label, sector).copy(image, volumeSector * sectorBytes);
  terminator().copy(image, (volumeSector + 1) * sectorBytes);
  pathTable("little").copy(image, pathTableSectors.little * sectorBytes);
  pathTable("big").copy(image, pathTableSectors.big * sectorBytes);
  const root = [directoryRecord("\0", rootSector, sectorBytes, true), directoryRecord("\u0001", rootSector, sectorBytes, true)];
  const records = Buffer.concat([...root, ...placed.map((file) => directoryRecord(file.name, file.at, file.data.length, false))]);
  if (records.length > sectorBytes) throw new RangeError("Too many files for one directory sector");
  records.copy(image, rootSector * sectorBytes);
  for (const file of placed) file.data.copy(image, file.at * sectorBytes);
  return image;
}

function volumeDescriptor(label: string, sectors: number): Buffer {
  const out = Buffer.alloc(sectorBytes);
  out.writeUInt8(1, 0);
  out.write("CD001", 1, "latin1");
  out.writeUInt8(1, 6);
  out.write("".padEnd(32), 8, "latin1");
  out.write(label.padEnd(32), 40, "latin1");
  bothEndian32(sectors).copy(out, 80);
  bothEndian16(1).copy(out, 120);
  bothEndian16(1).copy(out, 124);
  bothEndian16(sectorBytes).copy(out, 128);
  bothEndian32(pathTable("little").length).copy(out, 132);
  out.writeUInt32LE(pathTableSectors.little, 140);
  out.writeUInt32BE(pathTableSectors.big, 148);
  directoryRecord("\0", rootSector, sectorBytes, true).copy(out, 156);
  // Set, publisher, preparer, application (128 bytes each) and three file names (37 each): all blank.
  out.write("".padEnd(4 * 128 + 3 * 37), 190, "latin1");
  for (const offset of [813, 830, 847, 864]) out.write("0000000000000000\0", offset, "latin1");
  out.writeUInt8(1, 881);
  return out;
}

function terminator(): Buffer {
  const out = Buffer.alloc(sectorBytes);
  out.writeUInt8(255, 0);
  out.write("CD001", 1, "latin1");
  out.writeUInt8(1, 6);
  return out;
}

/** One entry: the root, its own parent. */
function pathTable(order: "little" | "big"): Buffer {
  const out = Buffer.alloc(10);
  out.writeUInt8(1, 0);
  if (order === "little") out.writeUInt32LE(rootSector, 2);
  else out.writeUInt32BE(rootSector, 2);
  if (order === "little") out.writeUInt16LE(1, 6);
  else out.writeUInt16BE(1, 6);
  return out;
}

function directoryRecord(name: string, sector: number, size: number, isFolder: boolean): Buffer {
  const nameBytes = Buffer.from(name, "latin1");
  const length = 33 + nameBytes.length + ((nameBytes.length + 1) % 2);
  const out = Buffer.alloc(length);
  out.writeUInt8(length, 0);
  bothEndian32(sector).copy(out, 2);
  bothEndian32(size).copy(out, 10);
  // 1 January 2000: a seed's date means nothing, and equal input makes equal bytes.
  Buffer.from([100, 1, 1, 0, 0, 0, 0]).copy(out, 18);
  out.writeUInt8(isFolder ? 2 : 0, 25);
  bothEndian16(1).copy(out, 28);
  out.writeUInt8(nameBytes.length, 32);
  nameBytes.copy(out, 33);
  return out;
}

function bothEndian32(value: number): Buffer {
  const out = Buffer.alloc(8);
  out.writeUInt32LE(value, 0);
  out.writeUInt32BE(value, 4);
  return out;
}

function bothEndian16(value: number): Buffer {
  const out = Buffer.alloc(4);
  out.writeUInt16LE(value, 0);
  out.writeUInt16BE(value, 2);
  return out;
}
