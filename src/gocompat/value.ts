/**
 * Go values as reflection shows them to templates and fmt: a type and the data behind it. Data decoded from JSON is a
 * value as it stands (`map[string]interface {}`, `[]interface {}`, `string`, `float64`, `bool`, nil); what Go code
 * declares with other types says so with {@link structType} and its neighbours.
 */
import { byteLength, compareGoStrings, decodeGoString, encodeGoString } from "./go-string.ts";

export type GoKind =
  | "bool"
  | "int"
  | "int64"
  | "uint8"
  | "float64"
  | "complex128"
  | "string"
  | "interface"
  | "map"
  | "slice"
  | "pointer"
  | "struct"
  | "func";

export interface GoType {
  readonly kind: GoKind;
  /** As `%T` prints it: `string`, `[]interface {}`, `time.Duration`. Two types are the same when their names are. */
  readonly name: string;
  /** Element of a map, slice or pointer. Keys of maps are strings. */
  readonly elem?: GoType | undefined;
  /** Fields of a struct, in declared order. */
  readonly fields?: Readonly<Record<string, GoType>> | undefined;
  /** Exported methods, bound to a receiver. A `String` method is what fmt prints. */
  readonly methods?: Readonly<Record<string, (receiver: GoValue) => GoFunction>> | undefined;
}

/** A function that a template may call. Arguments arrive checked; an undefined one is Go's nil. */
export interface GoFunction {
  readonly params: readonly ParameterType[];
  /** The last parameter takes any number of arguments. */
  readonly variadic?: boolean | undefined;
  /** What it throws becomes `error calling NAME: MESSAGE`. */
  readonly call: (...args: (GoValue | undefined)[]) => GoValue | undefined;
}

/** Parameter type of functions that look at the value themselves, as Go's `reflect.Value`. */
export const anyReflected = Symbol("reflect.Value");

export type ParameterType = GoType | typeof anyReflected;

export interface Complex {
  readonly re: number;
  readonly im: number;
}

export const boolType: GoType = { kind: "bool", name: "bool" };
export const intType: GoType = { kind: "int", name: "int" };
export const int64Type: GoType = { kind: "int64", name: "int64" };
export const uint8Type: GoType = { kind: "uint8", name: "uint8" };
export const float64Type: GoType = { kind: "float64", name: "float64" };
export const complex128Type: GoType = { kind: "complex128", name: "complex128" };
export const stringType: GoType = { kind: "string", name: "string" };
export const interfaceType: GoType = { kind: "interface", name: "interface {}" };

const anySliceType: GoType = sliceOf(interfaceType);
const anyMapType: GoType = mapOf(interfaceType);

export function sliceOf(elem: GoType): GoType {
  return { kind: "slice", name: `[]${elem.name}`, elem };
}

/** A map with string keys. */
export function mapOf(elem: GoType): GoType {
  return { kind: "map", name: `map[string]${elem.name}`, elem };
}

export function pointerTo(elem: GoType): GoType {
  return { kind: "pointer", name: `*${elem.name}`, elem, methods: elem.methods };
}

/** @param name with its package, as error texts show it: `commands.HostListItem` */
export function structType(name: string, fields: Readonly<Record<string, GoType>>): GoType {
  return { kind: "struct", name, fields };
}

/** A type declared on top of a basic one, with methods that take no arguments. */
export function namedType(name: string, base: GoType, methods: Readonly<Record<string, (receiver: GoValue) => GoValue>>): GoType {
  const bound = Object.entries(methods).map(
    ([method, call]) => [method, (receiver: GoValue): GoFunction => ({ params: [], call: () => call(receiver) })] as const,
  );
  return { ...base, name, methods: Object.fromEntries(bound) };
}

/**
 * A value and its type. The data behind it, by kind: boolean, bigint (all integers), number, {@link Complex}, string,
 * `GoValue | undefined` (interface), an object (map, struct; null for a nil map), an array or null (slice), the
 * element's data or null (pointer), {@link GoFunction} or null (func).
 */
export class GoValue {
  readonly type: GoType;
  readonly data: unknown;

  constructor(type: GoType, data: unknown) {
    this.type = type;
    this.data = data;
  }

  get kind(): GoKind {
    return this.type.kind;
  }

  get bool(): boolean {
    return this.data as boolean;
  }

  get int(): bigint {
    return this.data as bigint;
  }

  get float(): number {
    return this.data as number;
  }

  get complex(): Complex {
    return this.data as Complex;
  }

  get text(): string {
    return this.data as string;
  }

  get func(): GoFunction {
    return this.data as GoFunction;
  }

  /** Whether a value of a kind that can be nil is. */
  get isNil(): boolean {
    return this.data === null || this.data === undefined;
  }

  /** What an interface or pointer holds; undefined for a nil one. */
  get elem(): GoValue | undefined {
    if (this.isNil) return undefined;
    return this.kind === "interface" ? (this.data as GoValue) : this.#wrap(this.data);
  }

  /** `len(v)`: bytes of a string, elements of a slice or map. */
  get length(): number {
    if (this.kind === "string") return byteLength(this.text);
    if (this.kind === "map") return this.keys().length;
    return this.#items().length;
  }

  /** An element of a slice, or a byte of a string; the index must be in range. */
  at(index: number): GoValue {
    if (this.kind === "string") return new GoValue(uint8Type, BigInt(encodeGoString(this.text)[index] ?? 0));
    return this.#wrap(this.#items()[index]);
  }

  /** `v[from:to]` of a slice or string; both must be in range. */
  slice(from: number, to: number): GoValue {
    if (this.kind === "string") return goString(decodeGoString(encodeGoString(this.text).subarray(from, to)));
    return new GoValue(this.type, this.#items().slice(from, to));
  }

  /** Keys of a map, in Go's order for printing and ranging. */
  keys(): string[] {
    return this.isNil ? [] : Object.keys(this.data as object).toSorted(compareGoStrings);
  }

  /** A map's entry, if it has that key. */
  entry(key: string): GoValue | undefined {
    const has = !this.isNil && Object.hasOwn(this.data as object, key);
    return has ? this.#wrap((this.data as Record<string, unknown>)[key]) : undefined;
  }

  /** A struct's field, if its type declares it. */
  field(name: string): GoValue | undefined {
    const type = this.type.fields !== undefined && Object.hasOwn(this.type.fields, name) ? this.type.fields[name] : undefined;
    return type && typedValue(type, (this.data as Record<string, unknown>)[name]);
  }

  /** A method of that name, bound to this value. */
  method(name: string): GoFunction | undefined {
    const methods = this.type.methods;
    return methods !== undefined && Object.hasOwn(methods, name) ? methods[name]?.(this) : undefined;
  }

  #items(): readonly unknown[] {
    return (this.data ?? []) as readonly unknown[];
  }

  #wrap(data: unknown): GoValue {
    return typedValue(this.type.elem ?? interfaceType, data);
  }
}

const integerKinds: ReadonlySet<GoKind> = new Set<GoKind>(["int", "int64", "uint8"]);

const zeroData: Partial<Record<GoKind, unknown>> = {
  bool: false,
  float64: 0,
  complex128: { re: 0, im: 0 },
  string: "",
  struct: {},
};

/** A value of a declared type. Integers may be given as numbers; missing data is the type's zero value. */
export function typedValue(type: GoType, data: unknown): GoValue {
  if (type.kind === "interface") return new GoValue(type, goValue(data));
  if (integerKinds.has(type.kind)) return new GoValue(type, BigInt((data as bigint | number | undefined) ?? 0));
  return new GoValue(type, data ?? zeroData[type.kind] ?? null);
}

/** The Go value of JSON data as Go decodes it into `interface {}`; undefined (nil) for null. A bigint is an int. */
export function goValue(data: unknown): GoValue | undefined {
  if (data instanceof GoValue) return data;
  if (typeof data === "string") return goString(data.toWellFormed());
  if (typeof data === "number") return goFloat(data);
  if (typeof data === "boolean") return goBool(data);
  if (typeof data === "bigint") return goInt(data);
  if (typeof data !== "object" || data === null) return undefined;
  return new GoValue(Array.isArray(data) ? anySliceType : anyMapType, data);
}

/** Whether a value or type is of an integer kind. */
export function isInteger({ kind }: { readonly kind: GoKind }): boolean {
  return integerKinds.has(kind);
}

export function goString(text: string): GoValue {
  return new GoValue(stringType, text);
}

export function goBool(value: boolean): GoValue {
  return new GoValue(boolType, value);
}

export function goInt(value: bigint | number): GoValue {
  return new GoValue(intType, BigInt(value));
}

export function goFloat(value: number): GoValue {
  return new GoValue(float64Type, value);
}

/** The value inside an interface; other values as they are. */
export function dynamic(value: GoValue | undefined): GoValue | undefined {
  return value?.kind === "interface" ? value.elem : value;
}

/** Follows pointers and interfaces to what they lead to; a nil one is returned itself. */
export function indirect(value: GoValue): GoValue {
  const next = value.kind === "pointer" || value.kind === "interface" ? value.elem : undefined;
  return next === undefined ? value : indirect(next);
}

/** True for a pointer or interface that leads nowhere. */
export function isNilReference(value: GoValue): boolean {
  return (value.kind === "pointer" || value.kind === "interface") && value.isNil;
}
