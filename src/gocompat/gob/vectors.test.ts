import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { GobDecoder } from "./decoder.ts";
import { GobEncoder } from "./encoder.ts";
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
  gobSlice,
  gobString,
  gobStruct,
  gobUint,
  type GobType,
} from "./types.ts";
import { plainOf } from "../../../test/plugin/recorded.ts";

interface Vector {
  readonly name: string;
  readonly go: string;
  readonly hex: string;
  readonly values: readonly unknown[];
}

const flag = { Name: gobString, Usage: gobString, EnvVar: gobString };
const stringFlag = gobStruct("StringFlag", { ...flag, Value: gobString });
const flagKinds = {
  "*mcnflag.StringFlag": stringFlag,
  "*mcnflag.IntFlag": gobStruct("IntFlag", { ...flag, Value: gobInt }),
  "*mcnflag.BoolFlag": gobStruct("BoolFlag", flag),
  "*mcnflag.StringSliceFlag": gobStruct("StringSliceFlag", { ...flag, Value: gobSlice(gobString) }),
};
const flags = gobSlice(gobInterface(flagKinds));
const optionValue = gobInterface({ string: gobString, int: gobInt, bool: gobBool, "[]string": gobSlice(gobString) });
const options = gobInterface({ "*rpcdriver.RPCFlags": gobStruct("RPCFlags", { Values: gobMap(gobString, optionValue) }) });
const inner = gobStruct("inner", { S: gobString, N: gobInt });
const outer = gobStruct("Outer", {
  B: gobBool,
  I: gobInt,
  U: gobUint,
  F: gobFloat,
  S: gobString,
  Y: gobBytes,
  L: gobSlice(gobString),
  M: gobMap(gobString, gobInt),
  In: inner,
  P: inner,
  X: gobInterface({ string: gobString }),
  A: gobArray(gobInt, 3),
});
const request = gobStruct("Request", { ServiceMethod: gobString, Seq: gobUint });
const response = gobStruct("Response", { ServiceMethod: gobString, Seq: gobUint, Error: gobString });

/** The types of a vector's values, by its name. */
const types: Record<string, readonly GobType[]> = {
  int: [gobInt],
  uint: [gobUint],
  float64: [gobFloat],
  bool: [gobBool],
  string: [gobString],
  bytes: [gobBytes],
  "[]string": [gobSlice(gobString)],
  "[]int": [gobSlice(gobInt)],
  "map[string]string": [gobMap(gobString, gobString)],
  "map[string]int": [gobMap(gobString, gobInt)],
  "empty struct": [gobEmpty],
  "empty struct twice": [gobEmpty, gobEmpty],
  struct: [outer],
  "rpc request": [request, gobEmpty, request, gobEmpty],
  "rpc response": [response, gobInt, response, gobEmpty],
  state: [gobInt],
  flags: [flags],
  "flags pointer": [flags],
  "flags nil": [flags],
  "flags twice": [flags, flags],
  "driver options": [options],
  "driver options twice": [options, options],
};

const vectors = readFileSync(new URL("../../../test/plugin/captures/gob-vectors.jsonl", import.meta.url), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as Vector);

/** A flag on its own says which one it is by its definition's name. */
function typesOf(vector: Vector): readonly GobType[] {
  const known = types[vector.name];
  if (known !== undefined) return known;
  const text = Buffer.from(vector.hex, "hex").toString("latin1");
  const found = Object.values(flagKinds).find((kind) => kind.kind === "struct" && text.includes(kind.name));
  assert(found !== undefined, vector.name);
  return [found];
}

function decodeAll(bytes: Uint8Array, of: readonly GobType[]): unknown[] {
  const decoder = new GobDecoder();
  decoder.push(bytes);
  const values = of.map((type) => {
    const next = decoder.next(type);
    assert(next !== undefined, "a value is incomplete");
    return next.value;
  });
  assert.equal(decoder.hasPendingBytes, false);
  return values;
}

test("every value that Go encoded is decoded", () => {
  assert.equal(vectors.length, 79);
  for (const vector of vectors) {
    const decoded = decodeAll(Buffer.from(vector.hex, "hex"), typesOf(vector));
    assert.deepEqual(plainOf(decoded), vector.values, `${vector.name} ${vector.go}`);
  }
});

test("a stream is decoded without knowing its types", () => {
  for (const vector of vectors)
    decodeAll(
      Buffer.from(vector.hex, "hex"),
      typesOf(vector).map(() => gobAny),
    );
});

test("what is encoded here equals Go's bytes where ids and order are not Go's to choose", () => {
  for (const vector of vectors.filter(({ name }) => /^(int|uint|float64|bool|string|bytes|state)$/u.test(name))) {
    const [type] = typesOf(vector);
    const [value] = decodeAll(Buffer.from(vector.hex, "hex"), [type as GobType]);
    // Not a number has many bit patterns; which one arrives in JavaScript is the engine's choice.
    if (Number.isNaN(value)) continue;
    assert.equal(Buffer.from(new GobEncoder().encode(type as GobType, value)).toString("hex"), vector.hex, vector.go);
  }
});

test("every vector is encoded again and decoded to the same", () => {
  for (const vector of vectors) {
    const of = typesOf(vector);
    const values = decodeAll(Buffer.from(vector.hex, "hex"), of);
    const encoder = new GobEncoder();
    const bytes = Buffer.concat(of.map((type, index) => encoder.encode(type, values[index])));
    assert.deepEqual(plainOf(decodeAll(bytes, of)), vector.values, `${vector.name} ${vector.go}`);
  }
});
