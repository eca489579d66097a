import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { GobDecoder, type GobLimits } from "./decoder.ts";
import { GobEncoder } from "./encoder.ts";
import { GobError } from "./gob-error.ts";
import {
  gobAny,
  gobArray,
  gobBool,
  gobBytes,
  gobEmpty,
  gobFloat,
  gobInt,
  gobInterface,
  gobMap,
  gobPointer,
  gobSlice,
  gobString,
  gobStruct,
  gobUint,
  type GobInteger,
  type GobType,
} from "./types.ts";

/** A type with values of it. */
interface Sample {
  readonly type: GobType;
  readonly value: fc.Arbitrary<unknown>;
}

const narrow = (value: bigint): GobInteger => (Number.isSafeInteger(Number(value)) ? Number(value) : value);
const basic: Sample[] = [
  { type: gobBool, value: fc.boolean() },
  { type: gobInt, value: fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n).map(narrow) },
  { type: gobInt, value: fc.integer() },
  { type: gobUint, value: fc.bigInt(0n, 2n ** 64n - 1n).map(narrow) },
  { type: gobFloat, value: fc.double().map((number) => (number === 0 ? 0 : number)) },
  { type: gobBytes, value: fc.uint8Array() },
  { type: gobString, value: fc.string({ unit: "grapheme" }) },
];

const sample = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc.constantFrom(...basic),
    tie("sample").map(sliceOf),
    tie("sample").map(arrayOf),
    tie("sample").map(mapOf),
    fc
      .uniqueArray(fc.tuple(fc.string({ minLength: 1 }), tie("sample")), { maxLength: 5, selector: ([name]) => name })
      .map(structOf),
    fc
      .uniqueArray(fc.tuple(fc.string({ minLength: 1 }), tie("sample")), { maxLength: 3, selector: ([name]) => name })
      .map(interfaceOf),
  ),
})).sample;

function sliceOf({ type, value }: Sample): Sample {
  return { type: gobSlice(type), value: fc.array(value, { maxLength: 4 }) };
}

function arrayOf({ type, value }: Sample): Sample {
  return { type: gobArray(type, 3), value: fc.array(value, { minLength: 3, maxLength: 3 }) };
}

function mapOf({ type, value }: Sample): Sample {
  const entries = fc.uniqueArray(fc.tuple(fc.string(), value), { maxLength: 4, selector: ([key]) => key });
  return { type: gobMap(gobString, type), value: entries.map((pairs) => new Map(pairs)) };
}

function structOf(fields: [string, Sample][]): Sample {
  const type = gobStruct("T", Object.fromEntries(fields.map(([name, field]) => [name, field.type])));
  const value = fc.record(Object.fromEntries(fields.map(([name, field]) => [name, field.value])), { noNullPrototype: true });
  return { type, value };
}

function interfaceOf(concrete: [string, Sample][]): Sample {
  const type = gobInterface(Object.fromEntries(concrete.map(([name, one]) => [name, one.type])));
  const values = concrete.map(([name, { value }]) => value.map((inner) => ({ type: name, value: inner })));
  return { type, value: fc.oneof(fc.constant(null), ...values) };
}

const typedValues = fc
  .array(sample, { minLength: 1, maxLength: 3 })
  .chain((samples) => fc.tuple(...samples.map(({ type, value }) => value.map((one) => ({ type, value: one })))));

/** Cuts bytes into pieces of the given sizes, over and over. */
function* piecesOf(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  for (let start = 0, turn = 0; start < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

test("what is encoded is decoded to the same, however the bytes are cut", () => {
  fc.assert(
    fc.property(typedValues, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (values, sizes) => {
      const encoder = new GobEncoder();
      const bytes = Buffer.concat(values.map(({ type, value }) => encoder.encode(type, value)));
      const decoder = new GobDecoder();
      const decoded: unknown[] = [];
      for (const piece of piecesOf(bytes, sizes)) {
        decoder.push(piece);
        for (let type = values[decoded.length]?.type; type !== undefined; type = values[decoded.length]?.type) {
          const next = decoder.next(type);
          if (next === undefined) break;
          decoded.push(next.value);
        }
      }
      assert.deepEqual(
        decoded,
        values.map(({ value }) => value),
      );
      assert.equal(decoder.hasPendingBytes, false);
    }),
  );
});

test("damaged bytes give a value, a wait or a GobError, and nothing else", () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(typedValues, damage, fc.boolean(), (values, changes, known) => {
      const encoder = new GobEncoder();
      const bytes = Buffer.concat(values.map(({ type, value }) => encoder.encode(type, value)));
      for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
      const decoder = new GobDecoder();
      decoder.push(bytes);
      try {
        for (const { type } of values) decoder.next(known ? type : gobAny);
      } catch (error) {
        assert(error instanceof GobError, String(error));
      }
    }),
  );
});

function decodeHex(hex: string, type: GobType, limits: Partial<GobLimits> = {}): unknown {
  const decoder = new GobDecoder(limits);
  decoder.push(Buffer.from(hex.replaceAll(" ", ""), "hex"));
  return decoder.next(type);
}

test("a limit is an error before any memory is spent", () => {
  assert.throws(() => decodeHex("f8 7fffffffffffffff", gobAny), /a message of 9223372036854775807 bytes/u);
  assert.throws(() => decodeHex("fe 0400", gobAny, { maxMessageBytes: 1000 }), /a message of 1024 bytes, where at most 1000/u);
  assert.throws(() => decodeHex("07 0a 00 fc 7fffffff", gobBytes), /announced where 0 are left/u);
  const fields = Array.from({ length: 50 }, (_, index) => [`F${index}`, gobSlice(gobString)] as const);
  const zero = Object.fromEntries(fields.map(([name]) => [name, []]));
  const manyTypes = new GobEncoder().encode(gobStruct("S", Object.fromEntries(fields)), zero);
  assert.throws(() => decodeHex(Buffer.from(manyTypes).toString("hex"), gobAny, { maxTypes: 40 }), /more than 40 types/u);
});

test("a type that is made of itself cannot exhaust the stack", () => {
  // 65 is a slice of 65, and the value is a slice of one slice of one slice …
  const definition = "0d ff81 02 01 02 ff82 00 01 ff82 00 00";
  const value = `ff82 00 ${"01".repeat(200)} 00`;
  const bytes = `${definition} ff cc ${value}`;
  assert.throws(() => decodeHex(bytes, gobAny), /nested more than 64 deep/u);
});

test("another type than the expected one is named", () => {
  assert.throws(() => decodeHex("0304000a", gobString), /int received where string was expected/u);
  assert.throws(() => decodeHex("04 0c 00 01 61", gobStruct("S", {})), /string received where struct was expected/u);
});

test("an unregistered name in an interface is named, as Go names it", () => {
  const unknown = new GobEncoder().encode(gobInterface({ "*x.Flag": gobEmpty }), { type: "*x.Flag", value: {} });
  assert.throws(
    () => decodeHex(Buffer.from(unknown).toString("hex"), gobInterface({})),
    /name not registered for interface: "\*x\.Flag"/u,
  );
});

test("after an error nothing more is decoded", () => {
  const decoder = new GobDecoder();
  decoder.push(Buffer.from("0304000a0304000a", "hex"));
  assert.throws(() => decoder.next(gobString), GobError);
  assert.throws(() => decoder.next(gobInt), GobError);
});

test("fields match by name: missing ones are zero, unknown ones are skipped", () => {
  const sent = gobStruct("Flag", { Hidden: gobSlice(gobString), Name: gobString, __proto__X: gobInt });
  const expected = gobStruct("Flag", {
    Usage: gobString,
    Name: gobString,
    Value: gobSlice(gobString),
    Extra: gobPointer(gobInt),
  });
  const bytes = new GobEncoder().encode(sent, { Hidden: ["a"], Name: "n", __proto__X: 5 });
  const decoded = decodeHex(Buffer.from(bytes).toString("hex"), expected);
  assert.deepEqual(decoded, { value: { Usage: "", Name: "n", Value: [], Extra: undefined } });
});

test("a value that does not fit its type is refused, and the encoder goes on", () => {
  const encoder = new GobEncoder();
  const list = gobSlice(gobUint);
  assert.throws(() => encoder.encode(list, [1, -1]), /-1 does not fit/u);
  assert.throws(() => encoder.encode(gobInt, 1.5), /not an exact integer/u);
  assert.throws(() => encoder.encode(gobInt, 2n ** 63n), /does not fit into 64 bits/u);
  assert.throws(() => encoder.encode(gobArray(gobInt, 2), [1]), /1 elements for an array of 2/u);
  assert.throws(() => encoder.encode(gobAny, 1), /no known type/u);
  const bytes = encoder.encode(list, [1, 2]);
  assert.deepEqual(decodeHex(Buffer.from(bytes).toString("hex"), list), { value: [1, 2] });
});
