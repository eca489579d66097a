/** How one value looks under one verb and its flags: the value side of Go's fmt. */
import { pad, type Directive } from "./format-directive.ts";
import { formatComplex, formatFloating, formatInteger } from "./format-number.ts";
import { encodeGoString } from "./go-string.ts";
import { canBackquote, quote } from "./quote.ts";
import { goInt, goString, type GoValue } from "./value.ts";

/** Where in a value the printer is. */
interface Place {
  readonly depth: number;
  /** Inside a `%!d(string=x)` complaint, where a verb that does not fit is no further news. */
  readonly complaining: boolean;
}

/** Go prints where a pointer points; here nothing has an address, so all pointers show this one. */
const address = 0xc000010000n;

const pointerVerbs = /^[bodxX]$/;

/** The text of an argument; undefined is Go's nil. */
export function formatArgument(value: GoValue | undefined, directive: Directive): string {
  if (value === undefined) {
    return /^[Tv]$/.test(directive.verb) ? pad("<nil>", directive) : complaint(directive, "<nil>");
  }
  if (directive.verb === "T") return pad(truncated(value.type.name, directive), directive);
  // Only Errorf knows %w.
  if (directive.verb === "w") return complain(value, directive);
  if (directive.verb === "p") return formatAddress(value, directive) ?? complain(value, directive);
  return formatValue(value, directive, { depth: 0, complaining: false });
}

function formatValue(value: GoValue, directive: Directive, place: Place): string {
  const described = place.complaining ? undefined : describedByMethod(value, directive);
  if (described !== undefined) return formatText(described, directive) ?? "";
  return formatByKind(value, directive, place) ?? complain(value, directive);
}

function complain(value: GoValue, directive: Directive): string {
  const shown = formatValue(value, { ...directive, verb: "v" }, { depth: 0, complaining: true });
  return complaint(directive, `${value.type.name}=${shown}`);
}

function complaint({ verb }: Directive, about: string): string {
  return `%!${verb}(${about})`;
}

/** What a `String` method says, for the verbs that ask for text. */
function describedByMethod(value: GoValue, { verb, goSyntax }: Directive): string | undefined {
  if (goSyntax || !/^[vsxXq]$/.test(verb)) return undefined;
  return value.method("String")?.call()?.text;
}

/** Undefined when the verb does not fit the kind. */
function formatByKind(value: GoValue, directive: Directive, place: Place): string | undefined {
  switch (value.kind) {
    case "bool":
      return /^[tv]$/.test(directive.verb) ? pad(String(value.bool), directive) : undefined;
    case "int":
    case "int64":
      return formatInteger(value.int, directive);
    case "uint8":
      return formatInteger(value.int, directive.goSyntax ? { ...directive, verb: "x", sharp: true } : directive);
    case "float64":
      return formatFloating(value.float, directive);
    case "complex128":
      return formatComplex(value.complex, directive);
    case "string":
      return formatText(value.text, directive);
    case "interface":
      return formatInterface(value, directive, place);
    case "map":
      return formatMap(value, directive, place);
    case "slice":
      return formatSlice(value, directive, place);
    case "struct":
      return formatStruct(value, directive, place);
    case "pointer":
      return formatPointer(value, directive, place);
    case "func":
      return formatAddress(value, directive);
  }
}

function formatText(text: string, directive: Directive): string | undefined {
  switch (directive.verb) {
    case "v":
      return directive.goSyntax ? formatQuoted(text, directive) : pad(truncated(text, directive), directive);
    case "s":
      return pad(truncated(text, directive), directive);
    case "q":
      return formatQuoted(text, directive);
    case "x":
    case "X":
      return formatHexText(text, directive);
    default:
      return undefined;
  }
}

function truncated(text: string, { precision }: Directive): string {
  return precision === undefined ? text : Array.from(text).slice(0, precision).join("");
}

function formatQuoted(text: string, directive: Directive): string {
  const shown = truncated(text, directive);
  const literal = directive.sharp && canBackquote(shown) ? `\`${shown}\`` : quote(shown, { ascii: directive.plus });
  return pad(literal, directive);
}

/** `%x` of a string: its bytes, with a space flag set apart, with a sharp flag prefixed. */
function formatHexText(text: string, directive: Directive): string {
  const prefix = directive.sharp ? "0x" : "";
  const bytes = encodeGoString(text).subarray(0, directive.precision);
  const pairs = [...bytes].map((byte) => byte.toString(16).padStart(2, "0"));
  const joined = directive.space
    ? pairs.map((pair) => prefix + pair).join(" ")
    : pairs.length === 0
      ? ""
      : prefix + pairs.join("");
  return pad(directive.verb === "X" ? joined.toUpperCase() : joined, directive);
}

function formatInterface(value: GoValue, directive: Directive, place: Place): string {
  if (value.elem !== undefined) return formatValue(value.elem, directive, deeper(place));
  return directive.goSyntax ? `${value.type.name}(nil)` : "<nil>";
}

function formatMap(value: GoValue, directive: Directive, place: Place): string {
  if (directive.goSyntax && value.isNil) return `${value.type.name}(nil)`;
  const entries = value.keys().map((key) => {
    const entry = value.entry(key);
    return `${formatValue(goString(key), directive, deeper(place))}:${entry === undefined ? "" : formatValue(entry, directive, deeper(place))}`;
  });
  return directive.goSyntax ? `${value.type.name}{${entries.join(", ")}}` : `map[${entries.join(" ")}]`;
}

function formatSlice(value: GoValue, directive: Directive, place: Place): string {
  if (directive.goSyntax && value.isNil) return `${value.type.name}(nil)`;
  const items = Array.from({ length: value.length }, (_, index) => formatValue(value.at(index), directive, deeper(place)));
  return directive.goSyntax ? `${value.type.name}{${items.join(", ")}}` : `[${items.join(" ")}]`;
}

function formatStruct(value: GoValue, directive: Directive, place: Place): string {
  const fields = Object.keys(value.type.fields ?? {}).map((name) => {
    const field = value.field(name);
    const label = directive.goSyntax || directive.fieldNames ? `${name}:` : "";
    return label + (field === undefined ? "" : formatValue(field, directive, deeper(place)));
  });
  return directive.goSyntax ? `${value.type.name}{${fields.join(", ")}}` : `{${fields.join(" ")}}`;
}

/** At the top a pointer to a composite shows what it points to; deeper, and to other things, its address. */
function formatPointer(value: GoValue, directive: Directive, place: Place): string | undefined {
  const target = value.elem;
  const isComposite = target !== undefined && ["slice", "struct", "map"].includes(target.kind);
  return place.depth === 0 && isComposite ? `&${formatValue(target, directive, deeper(place))}` : formatAddress(value, directive);
}

/** `%p`, and `%v` of what has nothing but an address. */
function formatAddress(value: GoValue, directive: Directive): string | undefined {
  if (!["pointer", "func", "map", "slice"].includes(value.kind)) return undefined;
  const target = goInt(value.isNil ? 0n : address).int;
  const { verb, goSyntax, sharp } = directive;
  if (pointerVerbs.test(verb)) return formatInteger(target, directive);
  if (verb === "p") return formatInteger(target, { ...directive, verb: "x", sharp: !sharp });
  if (verb !== "v") return undefined;
  if (goSyntax) return `(${value.type.name})(${value.isNil ? "nil" : `0x${address.toString(16)}`})`;
  return value.isNil ? pad("<nil>", directive) : formatInteger(target, { ...directive, verb: "x", sharp: !sharp });
}

function deeper({ depth, complaining }: Place): Place {
  return { depth: depth + 1, complaining };
}
