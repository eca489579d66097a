/**
 * Types of Go's encoding/gob as data: what an encoder describes on the wire, and what a decoder checks a stream
 * against. Each type knows its TypeScript value, so a call's argument and answer are typed by the same declaration that
 * reads and writes them. Knows no bytes.
 */

/** Go's 64-bit integers: a number up to 2^53 - 1 either way, a bigint beyond. Both are accepted when encoding. */
export type GobInteger = number | bigint;

/** A Go interface's value with the name its concrete type was registered under; null for nil. */
export interface GobInterfaceValue<Name extends string = string, Value = unknown> {
  readonly type: Name;
  readonly value: Value;
}

declare const valueOf: unique symbol;

interface Typed<Value> {
  /** Exists for the type checker only. */
  readonly [valueOf]?: Value;
}

export type BasicKind = "bool" | "int" | "uint" | "float" | "bytes" | "string";

export type GobShape =
  | { readonly kind: BasicKind }
  | { readonly kind: "slice"; readonly element: GobType }
  | { readonly kind: "array"; readonly element: GobType; readonly length: number }
  | { readonly kind: "map"; readonly key: GobType; readonly element: GobType }
  | { readonly kind: "struct"; readonly name: string; readonly fields: Readonly<Record<string, GobType>> }
  | { readonly kind: "interface"; readonly concrete: Readonly<Record<string, GobType>> }
  /** A field that may be left out; Go's pointer, which the wire does not show. */
  | { readonly kind: "pointer"; readonly to: GobType }
  /** Decoding only: whatever the stream describes. Fields that were left out stay left out. */
  | { readonly kind: "any" };

export type GobType<Value = unknown> = GobShape & Typed<Value>;

/** The TypeScript value of a gob type. */
export type ValueOf<T> = T extends Typed<infer Value> ? Value : never;

type Fields = Readonly<Record<string, GobType>>;
type StructValue<F extends Fields> = { readonly [K in keyof F]: ValueOf<F[K]> };
type InterfaceValue<C extends Fields> =
  | { readonly [K in keyof C & string]: GobInterfaceValue<K, ValueOf<C[K]>> }[keyof C & string]
  | null;

export const gobBool: GobType<boolean> = { kind: "bool" };
export const gobInt: GobType<GobInteger> = { kind: "int" };
export const gobUint: GobType<GobInteger> = { kind: "uint" };
export const gobFloat: GobType<number> = { kind: "float" };
export const gobBytes: GobType<Uint8Array> = { kind: "bytes" };
/** Bytes that are not UTF-8 are decoded as U+FFFD. */
export const gobString: GobType<string> = { kind: "string" };
/** Whatever arrives: structs as objects, maps as `Map`, interfaces as {@link GobInterfaceValue}. Cannot be encoded. */
export const gobAny: GobType = { kind: "any" };

export function gobSlice<T extends GobType>(element: T): GobType<readonly ValueOf<T>[]> {
  return { kind: "slice", element };
}

export function gobArray<T extends GobType>(element: T, length: number): GobType<readonly ValueOf<T>[]> {
  return { kind: "array", element, length };
}

export function gobMap<K extends GobType, E extends GobType>(key: K, element: E): GobType<ReadonlyMap<ValueOf<K>, ValueOf<E>>> {
  return { kind: "map", key, element };
}

/** Fields match by name, as in Go: those that are missing on the wire get their zero value, unknown ones are skipped. */
export function gobStruct<F extends Fields>(name: string, fields: F): GobType<StructValue<F>> {
  return { kind: "struct", name, fields };
}

/** `concrete` holds the types that may stand in the interface, by the name Go registered them under. */
export function gobInterface<C extends Fields>(concrete: C): GobType<InterfaceValue<C>> {
  return { kind: "interface", concrete };
}

/** A struct field that may be absent; undefined then. */
export function gobPointer<T extends GobType>(to: T): GobType<ValueOf<T> | undefined> {
  return { kind: "pointer", to };
}

/** Go's `struct{}`. */
export const gobEmpty = gobStruct("", {});

/** The value a struct field has when the wire leaves it out. */
export function zeroValue(type: GobType): unknown {
  switch (type.kind) {
    case "bool":
      return false;
    case "int":
    case "uint":
    case "float":
      return 0;
    case "string":
      return "";
    case "bytes":
      return new Uint8Array();
    case "slice":
      return [];
    case "array":
      return Array.from({ length: type.length }, () => zeroValue(type.element));
    case "map":
      return new Map();
    case "struct":
      return Object.fromEntries(Object.entries(type.fields).map(([name, field]) => [name, zeroValue(field)]));
    case "interface":
      return null;
    case "pointer":
    case "any":
      return undefined;
  }
}
