/**
 * Fingerprints of the keys in an OpenPGP key file (RFC 4880 and RFC 9580), so that a downloaded key is known to be the
 * right one before it is installed. Pure; verifies no signatures: that is the package manager's work.
 */
import { createHash } from "node:crypto";
import { MachineError } from "../../errors/machine-error.ts";

const publicKeyTag = 6;

interface Packet {
  readonly tag: number;
  readonly body: Buffer;
}

/** Fingerprints of all primary keys, in upper-case hexadecimal. Throws a plain Error when this is no key file. */
export function keyFingerprints(keyFile: string): readonly string[] {
  const packets = packetsIn(dearmored(keyFile));
  const keys = packets.filter((packet) => packet.tag === publicKeyTag);
  if (keys.length === 0) throw new Error("there is no public key in it");
  return keys.map(fingerprintOf);
}

function dearmored(text: string): Buffer {
  const blocks = [...text.matchAll(/-----BEGIN PGP PUBLIC KEY BLOCK-----\r?\n([\s\S]*?)-----END PGP PUBLIC KEY BLOCK-----/gu)];
  if (blocks.length === 0) throw new Error("it is not an armoured OpenPGP key");
  return Buffer.concat(
    blocks.map((block) => {
      const lines = (block[1] ?? "").split(/\r?\n/u);
      const body = lines.slice(lines.indexOf("") + 1).filter((line) => !line.startsWith("="));
      return Buffer.from(body.join(""), "base64");
    }),
  );
}

function packetsIn(bytes: Buffer): readonly Packet[] {
  const packets: Packet[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const header = bytes.readUInt8(offset);
    if ((header & 0x80) === 0) throw new Error("it is damaged");
    const { tag, length, start } = (header & 0x40) === 0 ? oldHeader(bytes, offset, header) : newHeader(bytes, offset, header);
    if (start + length > bytes.length) throw new Error("it is cut off");
    packets.push({ tag, body: bytes.subarray(start, start + length) });
    offset = start + length;
  }
  return packets;
}

interface Header {
  readonly tag: number;
  readonly length: number;
  readonly start: number;
}

function oldHeader(bytes: Buffer, offset: number, header: number): Header {
  const size = [1, 2, 4][header & 3];
  if (size === undefined) throw new Error("it has a packet without a length");
  return { tag: (header >> 2) & 15, length: bytes.readUIntBE(offset + 1, size), start: offset + 1 + size };
}

function newHeader(bytes: Buffer, offset: number, header: number): Header {
  const tag = header & 63;
  const first = bytes.readUInt8(offset + 1);
  if (first < 192) return { tag, length: first, start: offset + 2 };
  if (first < 224) return { tag, length: ((first - 192) << 8) + bytes.readUInt8(offset + 2) + 192, start: offset + 3 };
  if (first === 255) return { tag, length: bytes.readUInt32BE(offset + 2), start: offset + 6 };
  throw new Error("it has a packet of partial lengths");
}

/** Version 4: SHA-1 over 0x99, a two-byte length and the packet. Version 6: SHA-256 over 0x9b and a four-byte length. */
function fingerprintOf(packet: Packet): string {
  const version = packet.body.readUInt8(0);
  if (version !== 4 && version !== 6) throw new Error(`it holds a key of version ${version}`);
  const prefix = Buffer.alloc(version === 4 ? 3 : 5);
  prefix.writeUInt8(version === 4 ? 0x99 : 0x9b, 0);
  prefix.writeUIntBE(packet.body.length, 1, version === 4 ? 2 : 4);
  return createHash(version === 4 ? "sha1" : "sha256")
    .update(prefix)
    .update(packet.body)
    .digest("hex")
    .toUpperCase();
}

/** Throws `download-failed` unless every key in the file is one of those expected. */
export function requireKeys(keyFile: string, expected: readonly string[], url: string): void {
  const wanted = new Set(expected.map((fingerprint) => fingerprint.replace(/[\s:]|^0x/giu, "").toUpperCase()));
  let found: readonly string[];
  try {
    found = keyFingerprints(keyFile);
  } catch (error) {
    throw new MachineError(
      "download-failed",
      `The key of the package repository (${url}) cannot be used: ${(error as Error).message}`,
      { cause: error },
    );
  }
  const foreign = found.find((fingerprint) => !wanted.has(fingerprint));
  if (foreign === undefined) return;
  throw new MachineError(
    "download-failed",
    `The key of the package repository (${url}) has the fingerprint ${foreign}, expected was ${[...wanted].join(" or ")}`,
    {
      hint: "Nothing was installed. If the mirror signs with a key of its own, name that key's fingerprint with --engine-package-key.",
    },
  );
}
