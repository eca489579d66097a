/** A tar archive (POSIX ustar) of a few small files and folders owned by root, for putting them into a container. */
export interface TarEntry {
  /** Relative to the root, without a leading slash, at most 100 bytes. */
  readonly path: string;
  readonly mode: number;
  /** Undefined = a folder. */
  readonly content?: string | undefined;
}

const blockBytes = 512;

export function tarArchive(entries: readonly TarEntry[]): Buffer {
  const blocks = entries.flatMap((entry) => {
    const data = Buffer.from(entry.content ?? "");
    return [header(entry, data.length), data, Buffer.alloc((blockBytes - (data.length % blockBytes)) % blockBytes)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * blockBytes)]);
}

function header(entry: TarEntry, size: number): Buffer {
  const isFolder = entry.content === undefined;
  const path = isFolder ? `${entry.path}/` : entry.path;
  if (Buffer.byteLength(path) > 100) throw new RangeError(`${path} is too long for a tar header`);
  const out = Buffer.alloc(blockBytes);
  out.write(path, 0);
  octal(out, entry.mode, 100, 8);
  octal(out, 0, 108, 8);
  octal(out, 0, 116, 8);
  octal(out, size, 124, 12);
  octal(out, 0, 136, 12);
  out.write(isFolder ? "5" : "0", 156);
  // Magic and version; a digit after \0 would be read as an octal escape.
  out.write("ustar", 257);
  out.write("00", 263);
  out.write("root", 265);
  out.write("root", 297);
  // The checksum is taken with its own field blank.
  out.write(" ".repeat(8), 148);
  const sum = out.reduce((total, byte) => total + byte, 0);
  out.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return out;
}

function octal(out: Buffer, value: number, offset: number, width: number): void {
  out.write(`${value.toString(8).padStart(width - 1, "0")}\0`, offset, "latin1");
}
