/** The functions that every template may call, and the notions of truth and printing that they share. */
import { sprint, sprintf, sprintln } from "../format.ts";
import {
  anyReflected,
  dynamic,
  goBool,
  goInt,
  goString,
  indirect,
  interfaceType,
  isInteger,
  isNilReference,
  stringType,
  typedValue,
  type GoFunction,
  type GoType,
  type GoValue,
  type ParameterType,
} from "../value.ts";
import { compareFunctions } from "./compare.ts";
import { escapeHtml, escapeJs, escapeUrlQuery } from "./escape.ts";
import { functionFailure as failure } from "./template-error.ts";

type Value = GoValue | undefined;

/** Go's truth: false, 0, nil, and what is empty are not true; a struct always is. */
export function truth(reference: Value): boolean {
  const value = dynamic(reference);
  if (value === undefined) return false;
  switch (value.kind) {
    case "bool":
      return value.bool;
    case "int":
    case "int64":
    case "uint8":
      return value.int !== 0n;
    case "float64":
      return value.float !== 0;
    case "complex128":
      return value.complex.re !== 0 || value.complex.im !== 0;
    case "string":
    case "map":
    case "slice":
      return value.length > 0;
    case "struct":
      return true;
    case "interface":
    case "pointer":
    case "func":
      return !value.isNil;
  }
}

/** A value as a template prints it: pointers followed, `<no value>` for none. A function cannot be printed. */
export function printable(value: Value): Value {
  const target = value?.kind === "pointer" ? indirect(value) : value;
  return target ?? goString("<no value>");
}

export const builtins: Readonly<Record<string, GoFunction>> = {
  ...compareFunctions,
  // The evaluator evaluates these two itself, because they stop at the first argument that decides.
  and: { params: [anyReflected, anyReflected], variadic: true, call: decidedElsewhere },
  or: { params: [anyReflected, anyReflected], variadic: true, call: decidedElsewhere },
  not: { params: [anyReflected], call: (value) => goBool(!truth(value)) },
  call: { params: [anyReflected, anyReflected], variadic: true, call: callFunction },
  index: { params: [anyReflected, anyReflected], variadic: true, call: indexInto },
  slice: { params: [anyReflected, anyReflected], variadic: true, call: sliceOfItem },
  len: { params: [anyReflected], call: lengthOf },
  html: textFunction(escapeHtml),
  js: textFunction(escapeJs),
  urlquery: textFunction(escapeUrlQuery),
  print: { params: [interfaceType], variadic: true, call: (...args) => goString(sprint(args)) },
  println: { params: [interfaceType], variadic: true, call: (...args) => goString(sprintln(args)) },
  printf: {
    params: [stringType, interfaceType],
    variadic: true,
    call: (format, ...args) => goString(sprintf(format?.text ?? "", args)),
  },
};

function decidedElsewhere(): never {
  throw new TypeError("and/or are not called");
}

function textFunction(transform: (text: string) => string): GoFunction {
  return { params: [interfaceType], variadic: true, call: (...args) => goString(transform(textOf(args))) };
}

function textOf(args: readonly Value[]): string {
  const [only] = args;
  return args.length === 1 && only?.type === stringType ? only.text : sprint(args.map(printable));
}

function lengthOf(reference: Value): GoValue {
  // What Go says when it has no value to look at.
  if (reference === undefined) throw failure("reflect: call of reflect.Value.Type on zero Value");
  const value = indirect(reference);
  if (isNilReference(value)) throw failure("len of nil pointer");
  if (!["string", "slice", "map"].includes(value.kind)) throw failure(`len of type ${value.type.name}`);
  return goInt(value.length);
}

function indexInto(reference: Value, ...indexes: Value[]): Value {
  let item = dynamic(reference);
  if (item === undefined) throw failure("index of untyped nil");
  for (const index of indexes.map(dynamic)) item = elementAt(indirect(item), index);
  return item;
}

function elementAt(item: GoValue, index: Value): GoValue {
  if (isNilReference(item)) throw failure("index of nil pointer");
  if (item.kind === "slice" || item.kind === "string") return item.at(indexWithin(index, item));
  if (item.kind !== "map") throw failure(`can't index item of type ${item.type.name}`);
  return item.entry(asArgument(index, stringType).text) ?? typedValue(item.type.elem ?? interfaceType, undefined);
}

function indexWithin(index: Value, { kind, length }: GoValue): number {
  const position = indexUpTo(index, length);
  // Go checks up to the length only, and panics on the access.
  if (position === length) throw failure(`reflect: ${kind} index out of range`);
  return position;
}

function indexUpTo(index: Value, limit: number): number {
  if (index === undefined) throw failure("cannot index slice/array with nil");
  if (!isInteger(index)) throw failure(`cannot index slice/array with type ${index.type.name}`);
  if (index.int < 0n || index.int > BigInt(limit)) throw failure(`index out of range: ${index.int}`);
  return Number(index.int);
}

function sliceOfItem(reference: Value, ...indexes: Value[]): GoValue {
  const item = dynamic(reference);
  if (item === undefined) throw failure("slice of untyped nil");
  if (indexes.length > 3) throw failure(`too many slice indexes: ${indexes.length}`);
  if (item.kind !== "string" && item.kind !== "slice") throw failure(`can't slice item of type ${item.type.name}`);
  if (item.kind === "string" && indexes.length === 3) throw failure("cannot 3-index slice a string");
  const { length } = item;
  const [from = 0, to = length, capacity = length] = indexes.map((index) => indexUpTo(index, length));
  if (from > to) throw failure(`invalid slice index: ${from} > ${to}`);
  if (to > capacity) throw failure(`invalid slice index: ${to} > ${capacity}`);
  return item.slice(from, to);
}

function callFunction(reference: Value, ...args: Value[]): Value {
  const value = dynamic(reference);
  if (value === undefined) throw failure("call of nil");
  if (value.kind !== "func") throw failure(`non-function of type ${value.type.name}`);
  const { params, variadic, call } = value.func;
  const fixed = variadic === true ? params.length - 1 : params.length;
  if (variadic === true ? args.length < fixed : args.length !== fixed) {
    throw failure(`wrong number of args: got ${args.length} want ${variadic === true ? "at least " : ""}${fixed}`);
  }
  return call(...args.map((arg, index) => asParameter(dynamic(arg), params[index] ?? params.at(-1), `arg ${index}: `)));
}

function asParameter(value: Value, type: ParameterType | undefined, where: string): Value {
  const takesAny = type === undefined || type === anyReflected || type.kind === "interface";
  return takesAny ? value : asArgument(value, type, where);
}

/** The value as one of exactly that type; integers are converted. */
function asArgument(value: Value, type: GoType, where = ""): GoValue {
  if (value === undefined) throw failure(`${where}value is nil; should be of type ${type.name}`);
  if (value.type.name === type.name) return value;
  if (isInteger(value) && isInteger(type)) return typedValue(type, value.int);
  throw failure(`${where}value has type ${value.type.name}; should be ${type.name}`);
}
