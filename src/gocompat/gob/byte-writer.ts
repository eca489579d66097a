/** Gob's basic encodings, appended to a buffer that grows. */
import { GobError } from "./gob-error.ts";
import type { GobInteger } from "./types.ts";

const maxUint = 2n ** 64n - 1n;
const maxInt = 2n ** 63n - 1n;

const text = new TextEncoder();

export class ByteWriter {
  #bytes = new Uint8Array(64);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The bytes written so far; valid until the next write. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Under 128 one byte; else 256 minus the count of bytes, then the bytes, big-endian and no more than needed. */
  uint(value: GobInteger): void {
    if (value >= 0 && value < 128) return this.#byte(Number(value));
    const bytes = bigEndian(checkedInteger(value, 0n, maxUint));
    this.#byte(256 - bytes.length);
    for (const byte of bytes) this.#byte(byte);
  }

  /** The sign in the lowest bit, so that small numbers stay short. */
  int(value: GobInteger): void {
    const integer = checkedInteger(value, -maxInt - 1n, maxInt);
    this.uint(integer < 0n ? (~integer << 1n) | 1n : integer << 1n);
  }

  bool(value: boolean): void {
    this.uint(value ? 1 : 0);
  }

  /** IEEE bits with their bytes reversed, so that short fractions stay short. */
  float(value: number): void {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, value);
    this.uint(view.getBigUint64(0, true));
  }

  bytes(value: Uint8Array): void {
    this.uint(value.length);
    this.raw(value);
  }

  string(value: string): void {
    this.bytes(text.encode(value));
  }

  #byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count));
    grown.set(this.view());
    this.#bytes = grown;
  }
}

function checkedInteger(value: GobInteger, least: bigint, most: bigint): bigint {
  if (typeof value === "number" && !Number.isSafeInteger(value)) throw new GobError(`gob: ${value} is not an exact integer`);
  const integer = BigInt(value);
  if (integer < least || integer > most) throw new GobError(`gob: ${integer} does not fit into 64 bits`);
  return integer;
}

function bigEndian(value: bigint): number[] {
  const bytes: number[] = [];
  for (let rest = value; rest > 0n; rest >>= 8n) bytes.unshift(Number(rest & 0xffn));
  return bytes;
}
