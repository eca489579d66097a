/** The comparison functions of templates: eq ne lt le gt ge. */
import { plainVerb } from "../format-directive.ts";
import { formatArgument } from "../format-value.ts";
import { compareGoStrings } from "../go-string.ts";
import { anyReflected, dynamic, goBool, type GoFunction, type GoKind, type GoType, type GoValue } from "../value.ts";
import { functionFailure as failure } from "./template-error.ts";

type Value = GoValue | undefined;

/** Kinds whose values compare with each other; others compare with their own type only. */
type Basic = "bool" | "int" | "uint" | "float" | "complex" | "string";

const basicKinds: Partial<Record<GoKind, Basic>> = {
  bool: "bool",
  int: "int",
  int64: "int",
  uint8: "uint",
  float64: "float",
  complex128: "complex",
  string: "string",
};

export const compareFunctions: Readonly<Record<"eq" | "ne" | "lt" | "le" | "gt" | "ge", GoFunction>> = {
  eq: { params: [anyReflected, anyReflected], variadic: true, call: (first, ...others) => goBool(equalsAny(first, others)) },
  ne: comparison((a, b) => !equalsAny(a, [b])),
  lt: comparison(isLess),
  le: comparison((a, b) => isLess(a, b) || equalsAny(a, [b])),
  gt: comparison((a, b) => !isLess(a, b) && !equalsAny(a, [b])),
  ge: comparison((a, b) => !isLess(a, b)),
};

function comparison(compare: (a: Value, b: Value) => boolean): GoFunction {
  return { params: [anyReflected, anyReflected], call: (a, b) => goBool(compare(a, b)) };
}

function basicKind(value: Value): Basic | undefined {
  return value && basicKinds[value.kind];
}

function isInteger(kind: Basic | undefined): boolean {
  return kind === "int" || kind === "uint";
}

function equalsAny(reference: Value, others: readonly Value[]): boolean {
  if (others.length === 0) throw failure("missing argument for comparison");
  const value = dynamic(reference);
  return others.some((other) => equals(value, dynamic(other)));
}

function equals(a: Value, b: Value): boolean {
  const [kindA, kindB] = [basicKind(a), basicKind(b)];
  if (a === undefined || b === undefined) return kindA === kindB && isNil(a) === isNil(b);
  if (isInteger(kindA) && isInteger(kindB)) return a.int === b.int;
  if (kindA !== kindB) throw failure("incompatible types for comparison");
  if (kindA === "complex") return a.complex.re === b.complex.re && a.complex.im === b.complex.im;
  return kindA === undefined ? equalsOfType(a, b) : a.data === b.data;
}

function isNil(value: Value): boolean {
  return value === undefined || (["map", "slice", "pointer", "func"].includes(value.kind) && value.isNil);
}

function equalsOfType(a: GoValue, b: GoValue): boolean {
  if (a.kind !== b.kind) {
    throw failure(`non-comparable types ${shown(a)}: ${a.type.name}, ${b.type.name}: ${formatArgument(b, plainVerb)}`);
  }
  if (isNil(a) || isNil(b)) return isNil(a) === isNil(b);
  if (!isComparable(b.type)) throw failure(`non-comparable type ${shown(b)}: ${b.type.name}`);
  return isSame(a, b);
}

function shown(value: GoValue): string {
  return formatArgument(value, { ...plainVerb, verb: "s" });
}

function isComparable(type: GoType): boolean {
  if (type.kind === "struct") return Object.values(type.fields ?? {}).every(isComparable);
  return !["map", "slice", "func"].includes(type.kind);
}

function isSame(a: GoValue, b: GoValue): boolean {
  if (a.type.name !== b.type.name) return false;
  if (a.kind !== "struct") return a.data === b.data;
  return Object.keys(a.type.fields ?? {}).every((name) => a.field(name)?.data === b.field(name)?.data);
}

function isLess(first: Value, second: Value): boolean {
  const [a, b] = [dynamic(first), dynamic(second)];
  const [kindA, kindB] = [basicKind(a), basicKind(b)];
  if (a === undefined || b === undefined || kindA === undefined || kindB === undefined)
    throw failure("invalid type for comparison");
  if (isInteger(kindA) && isInteger(kindB)) return a.int < b.int;
  if (kindA !== kindB) throw failure("incompatible types for comparison");
  if (kindA === "float") return a.float < b.float;
  if (kindA === "string") return compareGoStrings(a.text, b.text) < 0;
  throw failure("invalid type for comparison");
}
