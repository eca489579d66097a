/**
 * Go's strconv for text that users and scripts give: booleans, integers and floats, with Go's error texts, which the
 * command line has always shown.
 */
import { MachineError } from "../errors/machine-error.ts";
import { quote } from "./quote.ts";

const booleans: Readonly<Record<string, boolean>> = {
  "1": true,
  t: true,
  T: true,
  TRUE: true,
  true: true,
  True: true,
  "0": false,
  f: false,
  F: false,
  FALSE: false,
  false: false,
  False: false,
};

const digitsByPrefix: Readonly<Record<string, RegExp>> = {
  "0x": /^[0-9a-f]+$/i,
  "0o": /^[0-7]+$/,
  "0b": /^[01]+$/,
  "": /^[0-9]+$/,
};

/** Why a number was refused. `syntax` and `range` are Go's two. */
export type NumberFault = "syntax" | "range";

/** Go's `strconv.ParseBool`. Throws `usage` with Go's text. */
export function parseBool(text: string): boolean {
  const value = Object.hasOwn(booleans, text) ? booleans[text] : undefined;
  if (value === undefined) throw numberError("ParseBool", text, "syntax");
  return value;
}

/**
 * Go's `strconv.ParseInt(text, base, bits)`.
 * @param base 10, or 0 to take it from a prefix (`0x`, `0o`, `0b`, a leading zero) and to allow underscores
 * Throws `usage` with Go's text, which names ParseInt.
 */
export function parseInt64(text: string, base: 0 | 10 = 10, bits = 64): bigint {
  const value = readSigned(text, base, bits);
  if (typeof value === "string") throw numberError("ParseInt", text, value);
  return value;
}

/** Go's `strconv.Atoi`: a decimal int. Throws `usage` with Go's text, which names Atoi. */
export function atoi(text: string): number {
  const value = readSigned(text, 10, 64);
  if (typeof value === "string") throw numberError("Atoi", text, value);
  return Number(value);
}

/** Go's `strconv.ParseFloat(text, 64)`. Throws `usage` with Go's text. */
export function parseFloat64(text: string): number {
  const value = readFloat(text);
  if (typeof value === "string") throw numberError("ParseFloat", text, value);
  return value;
}

/** A signed integer of so many bits, or why it is none. */
export function readSigned(text: string, base: 0 | 10, bits: number): bigint | NumberFault {
  const negative = text.startsWith("-");
  const magnitude = readMagnitude(/^[+-]/.test(text) ? text.slice(1) : text, base);
  if (typeof magnitude === "string") return magnitude;
  const limit = 1n << BigInt(bits - 1);
  if (negative) return magnitude > limit ? "range" : -magnitude;
  return magnitude >= limit ? "range" : magnitude;
}

/** An unsigned 64-bit integer with its base taken from its prefix, or why it is none. */
export function readUnsigned(text: string): bigint | NumberFault {
  const magnitude = readMagnitude(text, 0);
  return typeof magnitude === "bigint" && magnitude >= 1n << 64n ? "range" : magnitude;
}

function readMagnitude(text: string, base: 0 | 10): bigint | NumberFault {
  if (base === 10) return digitsByPrefix[""]?.test(text) === true ? BigInt(text) : "syntax";
  if (!underscoresSeparateDigits(text)) return "syntax";
  const [, prefix = "", digits = ""] = /^(0[xob]|0(?=.))?(.*)$/is.exec(text.replaceAll("_", "")) ?? [];
  const kind = prefix === "0" ? "0o" : prefix.toLowerCase();
  return digitsByPrefix[kind]?.test(digits) === true ? BigInt(kind + digits) : "syntax";
}

/** Go's rule for underscores in literals: each stands between digits, and a base prefix counts as one. */
function underscoresSeparateDigits(text: string): boolean {
  if (!text.includes("_")) return true;
  const [, prefix = "", rest = ""] = /^[+-]?(0[xob])?(.*)$/is.exec(text) ?? [];
  const misplaced = prefix.toLowerCase() === "0x" ? /(?<![0-9a-f])_|_(?![0-9a-f])/i : /(?<![0-9])_|_(?![0-9])/;
  return !misplaced.test(prefix === "" ? rest : `0${rest}`);
}

const decimalFloat = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?$/i;
const hexFloat = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)p([+-]?[0-9]+)$/i;
const specialFloat = /^(?:([+-]?)inf(?:inity)?|nan)$/i;

/** A 64-bit float in Go's syntax (decimal, hexadecimal with a `p` exponent, `Inf`, `NaN`), or why it is none. */
export function readFloat(text: string): number | NumberFault {
  const special = specialFloat.exec(text);
  if (special !== null) return special[1] === undefined ? Number.NaN : Number(`${special[1]}Infinity`);
  if (!underscoresSeparateDigits(text)) return "syntax";
  const plain = text.replaceAll("_", "");
  const value = decimalFloat.test(plain) ? Number(plain) : hexValue(plain);
  return value === undefined ? "syntax" : Math.abs(value) === Infinity ? "range" : value;
}

/** Exact as long as the digits fit the 53 bits of a double and the result is no subnormal. */
function hexValue(text: string): number | undefined {
  const [, sign, whole = "", fraction = "", exponent] = hexFloat.exec(text) ?? [];
  if (whole + fraction === "") return undefined;
  const value = Number(BigInt(`0x${whole}${fraction}`)) * 2 ** (Number(exponent) - 4 * fraction.length);
  return sign === "-" ? -value : value;
}

function numberError(operation: string, text: string, fault: NumberFault): MachineError {
  const reason = fault === "syntax" ? "invalid syntax" : "value out of range";
  return new MachineError("usage", `strconv.${operation}: parsing ${quote(text)}: ${reason}`);
}
