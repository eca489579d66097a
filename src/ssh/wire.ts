/** The two encodings that SSH keys, known_hosts and key files are made of (RFC 4251 §5): strings and integers. */

export function encodeUint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function encodeString(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as Uint8Array);
  return Buffer.concat([encodeUint32(bytes.length), bytes]);
}

/** An unsigned number given as big-endian bytes: no superfluous zeros, one in front where the first bit is set. */
export function encodeMpint(bigEndian: Uint8Array): Buffer {
  const first = bigEndian.findIndex((byte) => byte !== 0);
  const digits = first < 0 ? new Uint8Array() : bigEndian.subarray(first);
  return encodeString((digits[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

/** Reads fields one after the other; throws a RangeError where the bytes end too early. */
export class WireReader {
  #rest: Buffer;

  constructor(bytes: Uint8Array) {
    this.#rest = Buffer.from(bytes);
  }

  uint32(): number {
    return this.take(4).readUInt32BE();
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  take(length: number): Buffer {
    if (length > this.#rest.length) throw new RangeError("SSH data ends too early");
    const taken = this.#rest.subarray(0, length);
    this.#rest = this.#rest.subarray(length);
    return taken;
  }
}
