/**
 * How gob describes types to the other side: the definitions that travel, themselves gob structs, and the form in which
 * a decoder keeps them.
 */
import { GobError } from "./gob-error.ts";
import {
  gobInt,
  gobPointer,
  gobSlice,
  gobString,
  gobStruct,
  type BasicKind,
  type GobInteger,
  type GobType,
  type ValueOf,
} from "./types.ts";

/** Ids of the types that need no definition. */
const basicIds: Readonly<Record<BasicKind | "interface", number>> = {
  bool: 1,
  int: 2,
  uint: 3,
  float: 4,
  bytes: 5,
  string: 6,
  interface: 8,
};
const complexId = 7;
/** Ids below belong to gob itself; Go's first type of a program gets 65. */
export const firstUserId = 65;

const commonType = gobStruct("CommonType", { Name: gobString, Id: gobInt });
const customType = gobStruct("gobEncoderType", { CommonType: commonType });

/** Go's wireType: exactly one field is there. Its field order is the protocol. */
export const definitionType = gobStruct("wireType", {
  ArrayT: gobPointer(gobStruct("ArrayType", { CommonType: commonType, Elem: gobInt, Len: gobInt })),
  SliceT: gobPointer(gobStruct("SliceType", { CommonType: commonType, Elem: gobInt })),
  StructT: gobPointer(
    gobStruct("StructType", { CommonType: commonType, Field: gobSlice(gobStruct("FieldType", { Name: gobString, Id: gobInt })) }),
  ),
  MapT: gobPointer(gobStruct("MapType", { CommonType: commonType, Key: gobInt, Elem: gobInt })),
  GobEncoderT: gobPointer(customType),
  BinaryMarshalerT: gobPointer(customType),
  TextMarshalerT: gobPointer(customType),
});

export type Definition = Partial<ValueOf<typeof definitionType>>;

/** A type of the stream, by which values are read; other types are named by id. */
export type WireType =
  | { readonly kind: BasicKind | "interface" | "complex" }
  /** Bytes whose meaning only the type's own Go code knows. */
  | { readonly kind: "custom" }
  | { readonly kind: "slice"; readonly element: number }
  | { readonly kind: "array"; readonly element: number; readonly length: number }
  | { readonly kind: "map"; readonly key: number; readonly element: number }
  | { readonly kind: "struct"; readonly fields: readonly { readonly name: string; readonly id: number }[] };

/** The types every stream begins with. */
export function basicWireTypes(): [number, WireType][] {
  const basics = Object.entries(basicIds).map(([kind, id]): [number, WireType] => [id, { kind: kind as BasicKind }]);
  return [...basics, [complexId, { kind: "complex" }]];
}

/** The types that have to be described. */
type DefinedType = Extract<GobType, { readonly kind: "array" | "slice" | "map" | "struct" }>;

export function isDefined(type: GobType): type is DefinedType {
  return ["array", "slice", "map", "struct"].includes(type.kind);
}

/** The id of a type that needs no definition. */
export function basicIdOf(type: GobType): number | undefined {
  return Object.hasOwn(basicIds, type.kind) ? basicIds[type.kind as keyof typeof basicIds] : undefined;
}

/** What the encoder sends to describe a type; `idOf` numbers the types it is made of. */
export function definitionOf(type: DefinedType, id: number, idOf: (part: GobType) => number): Definition {
  const common = { Name: type.kind === "struct" ? type.name : "", Id: id };
  switch (type.kind) {
    case "array":
      return { ArrayT: { CommonType: common, Elem: idOf(type.element), Len: type.length } };
    case "slice":
      return { SliceT: { CommonType: common, Elem: idOf(type.element) } };
    case "map":
      return { MapT: { CommonType: common, Key: idOf(type.key), Elem: idOf(type.element) } };
    case "struct":
      return {
        StructT: {
          CommonType: common,
          Field: Object.entries(type.fields).map(([name, field]) => ({ Name: name, Id: idOf(field) })),
        },
      };
  }
}

/** The form in which a decoder keeps a definition. */
export function wireTypeOf(definition: Definition): WireType {
  const { ArrayT, SliceT, StructT, MapT } = definition;
  if (ArrayT !== undefined) return { kind: "array", element: small(ArrayT.Elem), length: small(ArrayT.Len) };
  if (SliceT !== undefined) return { kind: "slice", element: small(SliceT.Elem) };
  if (MapT !== undefined) return { kind: "map", key: small(MapT.Key), element: small(MapT.Elem) };
  if (StructT !== undefined)
    return { kind: "struct", fields: StructT.Field.map(({ Name, Id }) => ({ name: Name, id: small(Id) })) };
  if (definition.GobEncoderT ?? definition.BinaryMarshalerT ?? definition.TextMarshalerT) return { kind: "custom" };
  throw new GobError("gob: a type definition without a type");
}

function small(value: GobInteger): number {
  if (typeof value === "bigint") throw new GobError(`gob: type definition with the number ${value}`);
  return value;
}
