/** How a program for macOS is signed, read from its load commands (mach-o/loader.h, and Apple's cs_blobs.h). Pure. */

const magic64 = 0xfeedfacf;
const codeSignatureCommand = 0x1d;
const superBlobMagic = 0xfade0cc0;
const directoryMagic = 0xfade0c02;
const adHocFlag = 0x2;

/** `ad-hoc` proves that the file is whole, and nobody's name. */
export function signatureOf(file: Buffer): "none" | "ad-hoc" | "signed" {
  const place = codeSignature(file);
  if (place === undefined || file.readUInt32BE(place) !== superBlobMagic) return "none";
  const blobs = file.readUInt32BE(place + 8);
  for (let index = 0; index < blobs; index += 1) {
    const blob = place + file.readUInt32BE(place + 12 + index * 8 + 4);
    if (file.readUInt32BE(blob) !== directoryMagic) continue;
    return (file.readUInt32BE(blob + 12) & adHocFlag) === 0 ? "signed" : "ad-hoc";
  }
  return "none";
}

function codeSignature(file: Buffer): number | undefined {
  if (file.length < 32 || file.readUInt32LE(0) !== magic64) return undefined;
  const commands = file.readUInt32LE(16);
  for (let index = 0, at = 32; index < commands; index += 1) {
    if (file.readUInt32LE(at) === codeSignatureCommand) return file.readUInt32LE(at + 8);
    at += file.readUInt32LE(at + 4);
  }
  return undefined;
}
