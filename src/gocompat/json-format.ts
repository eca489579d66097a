/**
 * JSON as Go's encoding/json writes it: keys of maps sorted, fields of structs in their order, `<`, `>` and `&`
 * escaped. The `json` and `prettyjson` functions of `inspect` templates are made of it.
 */
import { isEscapedByte } from "./go-string.ts";
import { dynamic, goString, goValue, interfaceType, type GoFunction, type GoValue } from "./value.ts";

const escapes: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/**
 * Go's `json.Marshal(data)`, or `json.MarshalIndent(data, "", indent)` when an indent is given.
 * @param data JSON data, bigints (ints) or a {@link GoValue}
 */
export function goJson(data: unknown, indent = ""): string {
  return encode(goValue(data), indent, "");
}

/** The functions that 0.16.2 gives to templates of `inspect`. */
export const jsonFunctions: Readonly<Record<string, GoFunction>> = {
  json: jsonFunction(""),
  prettyjson: jsonFunction("    "),
};

/** What JSON cannot hold is empty text, as 0.16.2 has it. */
function jsonFunction(indent: string): GoFunction {
  const call = (value: GoValue | undefined): GoValue => goString(isEncodable(value) ? goJson(value, indent) : "");
  return { params: [interfaceType], call };
}

function isEncodable(value: GoValue | undefined): boolean {
  return value?.kind !== "complex128" && value?.kind !== "func";
}

function encode(reference: GoValue | undefined, indent: string, margin: string): string {
  const value = dynamic(reference);
  if (value === undefined) return "null";
  const inner = margin + indent;
  switch (value.kind) {
    case "bool":
      return String(value.bool);
    case "float64":
      return encodeFloat(value.float);
    case "string":
      return encodeString(value.text);
    case "pointer":
      return encode(value.elem, indent, margin);
    case "slice":
      return value.isNil ? "null" : brackets("[]", encodeItems(value, indent, inner), indent, margin);
    case "map":
    case "struct":
      return value.isNil ? "null" : brackets("{}", encodeMembers(value, indent, inner), indent, margin);
    case "int":
    case "int64":
    case "uint8":
      return String(value.int);
    case "interface":
    case "complex128":
    case "func":
      throw new TypeError(`JSON cannot hold a ${value.type.name}`);
  }
}

function encodeItems(value: GoValue, indent: string, margin: string): string[] {
  return Array.from({ length: value.length }, (_, index) => encode(value.at(index), indent, margin));
}

function encodeMembers(value: GoValue, indent: string, margin: string): string[] {
  const isMap = value.kind === "map";
  const names = isMap ? value.keys() : Object.keys(value.type.fields ?? {});
  return names.map((name) => {
    const member = encode(isMap ? value.entry(name) : value.field(name), indent, margin);
    return `${encodeString(name)}:${indent === "" ? "" : " "}${member}`;
  });
}

function brackets(pair: string, members: readonly string[], indent: string, margin: string): string {
  if (members.length === 0) return pair;
  const [open, close] = pair;
  if (indent === "") return `${open}${members.join(",")}${close}`;
  const lines = members.map((member) => `\n${margin}${indent}${member}`);
  return `${open}${lines.join(",")}\n${margin}${close}`;
}

/** Plain digits in the range where JavaScript prints them too, else the shortest exponent form. */
function encodeFloat(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function encodeString(text: string): string {
  // Control characters, HTML's special ones, the two line separators that JavaScript source cannot hold, stray bytes.
  // oxlint-disable-next-line no-control-regex -- control characters are what is to be escaped
  const special = /[\x00-\x1f"\\<>&\u2028\u2029]|\p{Surrogate}/gu;
  return `"${text.replace(special, (rune) => escapes[rune] ?? `\\u${hexOf(rune)}`)}"`;
}

function hexOf(rune: string): string {
  return isEscapedByte(rune) ? "fffd" : rune.charCodeAt(0).toString(16).padStart(4, "0");
}
