/** Gob's basic encodings, read from one message. Reading beyond its end is an error: a value never ends short of it. */
import { GobError } from "./gob-error.ts";
import type { GobInteger } from "./types.ts";

// A byte order mark is part of the text.
const text = new TextDecoder("utf-8", { ignoreBOM: true });

/** A uint at `offset`, and where it ends; undefined when its bytes are not all there. */
export function uintAt(bytes: Uint8Array, offset: number): { readonly value: GobInteger; readonly end: number } | undefined {
  const first = bytes[offset];
  if (first === undefined) return undefined;
  if (first < 128) return { value: first, end: offset + 1 };
  const count = 256 - first;
  if (count > 8) throw new GobError(`gob: an integer of ${count} bytes`);
  const end = offset + 1 + count;
  if (end > bytes.length) return undefined;
  let value = 0n;
  for (const byte of bytes.subarray(offset + 1, end)) value = (value << 8n) | BigInt(byte);
  return { value: narrow(value), end };
}

function narrow(value: bigint): GobInteger {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  uint(): GobInteger {
    const found = uintAt(this.#bytes, this.#offset);
    if (found === undefined) throw new GobError("gob: a value goes on beyond the end of its message");
    this.#offset = found.end;
    return found.value;
  }

  int(): GobInteger {
    const bits = BigInt(this.uint());
    return narrow((bits & 1n) === 1n ? ~(bits >> 1n) : bits >> 1n);
  }

  /** A uint that counts or numbers something: small enough to be a number. */
  count(): number {
    const value = this.uint();
    if (typeof value === "bigint") throw new GobError(`gob: a count of ${value}`);
    return value;
  }

  /** A type's id: negative where a definition follows. */
  typeId(): number {
    const value = this.int();
    if (typeof value === "bigint") throw new GobError(`gob: type id ${value}`);
    return value;
  }

  float(): number {
    const view = new DataView(new ArrayBuffer(8));
    view.setBigUint64(0, BigInt(this.uint()), true);
    return view.getFloat64(0);
  }

  /** A copy, so that it outlives the message. */
  bytes(): Uint8Array {
    return this.#take().slice();
  }

  string(): string {
    return text.decode(this.#take());
  }

  #take(): Uint8Array {
    const length = this.count();
    if (length > this.remaining) throw new GobError(`gob: ${length} bytes announced where ${this.remaining} are left`);
    const taken = this.#bytes.subarray(this.#offset, this.#offset + length);
    this.#offset += length;
    return taken;
  }
}
