/** Numbers under Go's fmt verbs. A result of undefined means that the verb is not for this kind of number. */
import { formatFloat, type FloatFormat } from "./float.ts";
import { pad, padWithSpaces, type Directive } from "./format-directive.ts";
import { isPrintable, quoteRune, runeToString } from "./quote.ts";
import type { Complex } from "./value.ts";

const maxRune = 0x10ffffn;

const bases: Readonly<Record<string, { readonly radix: number; readonly prefix: string }>> = {
  v: { radix: 10, prefix: "" },
  d: { radix: 10, prefix: "" },
  b: { radix: 2, prefix: "0b" },
  o: { radix: 8, prefix: "0" },
  O: { radix: 8, prefix: "0" },
  x: { radix: 16, prefix: "0x" },
  X: { radix: 16, prefix: "0X" },
};

/** Verbs for floats: the format of strconv and the precision when none is given. */
const floatVerbs: Readonly<Record<string, { readonly format: FloatFormat; readonly precision: number }>> = {
  v: { format: "g", precision: -1 },
  b: { format: "b", precision: -1 },
  g: { format: "g", precision: -1 },
  G: { format: "G", precision: -1 },
  x: { format: "x", precision: -1 },
  X: { format: "X", precision: -1 },
  e: { format: "e", precision: 6 },
  E: { format: "E", precision: 6 },
  f: { format: "f", precision: 6 },
  F: { format: "f", precision: 6 },
};

export function formatInteger(value: bigint, directive: Directive): string | undefined {
  switch (directive.verb) {
    case "c":
      return pad(runeToString(codePointOf(value)), directive);
    case "q":
      return pad(quoteRune(codePointOf(value), { ascii: directive.plus }), directive);
    case "U":
      return formatUnicode(BigInt.asUintN(64, value), directive);
    default:
      return formatInBase(value, directive);
  }
}

function codePointOf(value: bigint): number {
  const code = BigInt.asUintN(64, value);
  return code > maxRune ? -1 : Number(code);
}

function formatInBase(value: bigint, directive: Directive): string | undefined {
  const base = bases[directive.verb];
  if (base === undefined) return undefined;
  if (directive.precision === 0 && value === 0n) return padWithSpaces("", directive);
  const sign = value < 0n ? "-" : signFor(directive);
  const digits = (value < 0n ? -value : value).toString(base.radix).padStart(leastDigits(directive, sign), "0");
  const text = sign + basePrefix(digits, base.prefix, directive) + (directive.verb === "X" ? digits.toUpperCase() : digits);
  return padWithSpaces(text, directive);
}

/** A precision asks for digits; a zero flag without one fills the width with them. */
function leastDigits({ precision, zero, width }: Directive, sign: string): number {
  return precision ?? (zero && width !== undefined ? width - sign.length : 0);
}

function basePrefix(digits: string, prefix: string, { verb, sharp }: Directive): string {
  const sharpPrefix = !sharp || (prefix === "0" && digits.startsWith("0")) ? "" : prefix;
  return verb === "O" ? `0o${sharpPrefix}` : sharpPrefix;
}

function signFor({ plus, space }: Directive): string {
  return plus ? "+" : space ? " " : "";
}

function formatUnicode(value: bigint, directive: Directive): string {
  const digits = value
    .toString(16)
    .toUpperCase()
    .padStart(Math.max(directive.precision ?? 0, 4), "0");
  const rune = runeToString(codePointOf(value));
  const shown = directive.sharp && value <= maxRune && isPrintable(rune) ? ` '${rune}'` : "";
  return padWithSpaces(`U+${digits}${shown}`, directive);
}

export function formatFloating(value: number, directive: Directive): string | undefined {
  const verb = floatVerbs[directive.verb];
  if (verb === undefined) return undefined;
  const precision = directive.precision ?? verb.precision;
  const [, minus, magnitude = ""] = /^(-?)\+?(.*)$/.exec(formatFloat(value, verb.format, precision)) ?? [];
  const sign = minus === "-" ? "-" : signFor(directive);
  if (Number.isNaN(value)) return padWithSpaces(sign + magnitude, directive);
  if (!Number.isFinite(value)) return padWithSpaces((sign || "+") + magnitude, directive);
  const shown = directive.sharp && verb.format !== "b" ? withPoint(magnitude, verb.format, precision) : magnitude;
  return directive.zero
    ? sign + pad(shown, { ...directive, width: (directive.width ?? 0) - sign.length })
    : pad(sign + shown, directive);
}

/** The `#` flag: always a decimal point, and the trailing zeros that `%g` drops. */
function withPoint(magnitude: string, format: FloatFormat, precision: number): string {
  const isHex = format === "x" || format === "X";
  const [, number = "", exponent = ""] = (isHex ? /^([^pP]*)(.*)$/ : /^([^eE]*)(.*)$/).exec(magnitude) ?? [];
  const pointed = number.includes(".") ? number : `${number}.`;
  return pointed + "0".repeat(Math.max(missingDigits(number, format, precision), 0)) + exponent;
}

/** How many significant digits `%#g` and `%#x` still owe. */
function missingDigits(number: string, format: FloatFormat, precision: number): number {
  if (format !== "g" && format !== "G" && format !== "x") return 0;
  const significant = number.replace(".", "").replace(/^0+/, "").length;
  return (precision < 0 ? 6 : precision) - (number === "0" ? 1 : significant);
}

export function formatComplex({ re, im }: Complex, directive: Directive): string | undefined {
  const real = formatFloating(re, directive);
  const imaginary = formatFloating(im, { ...directive, plus: true });
  return real === undefined || imaginary === undefined ? undefined : `(${real}${imaginary}i)`;
}
