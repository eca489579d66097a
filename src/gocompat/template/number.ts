/** Number constants of templates, which like Go's have no type until they are used. */
import { quote, unquoteChar } from "../quote.ts";
import { readFloat, readSigned, readUnsigned } from "../strconv.ts";
import type { Complex } from "../value.ts";
import type { NumberNode } from "./nodes.ts";
import type { Token } from "./tokens.ts";

type Readings = Omit<NumberNode, "type" | "at" | "text">;

const maxInt = 2 ** 63;
const maxUint = 2 ** 64;

/** The constant of a token, or what is wrong with it, in Go's words. */
export function readNumber(token: Token): NumberNode | string {
  const readings = readingsOf(token);
  return typeof readings === "string" ? readings : { type: "number", at: token.at, text: token.text, ...readings };
}

function readingsOf({ type, text }: Token): Readings | string {
  if (type === "charConstant") return readCharacter(text);
  if (type === "complex") return readComplex(text);
  const imaginary = text.endsWith("i") ? readFloat(text.slice(0, -1)) : undefined;
  if (typeof imaginary === "number") return withSimplerTypes({ re: 0, im: imaginary });
  return readReal(text);
}

function readCharacter(text: string): Readings | string {
  const char = unquoteChar(text.slice(1), "'");
  if (char === undefined) return "invalid syntax";
  if (text.slice(1 + char.length) !== "'") return `malformed character constant: ${text}`;
  const code = BigInt(char.codePoint);
  return { int: code, uint: code, float: char.codePoint };
}

function readComplex(text: string): Readings | string {
  const [, real = "", imaginary = ""] = /^(.+?)(?<![eEpP])([+-].*)i$/.exec(text) ?? [];
  const re = readFloat(real);
  const im = readFloat(imaginary);
  if (typeof re === "string" || typeof im === "string") return "syntax error scanning complex number";
  return withSimplerTypes({ re, im });
}

function withSimplerTypes(complex: Complex): Readings {
  if (complex.im !== 0) return { complex };
  return { complex, float: complex.re, int: integerOf(complex.re, -maxInt, maxInt), uint: integerOf(complex.re, 0, maxUint) };
}

function integerOf(value: number, from: number, below: number): bigint | undefined {
  return Number.isInteger(value) && value >= from && value < below ? BigInt(value) : undefined;
}

function readReal(text: string): Readings | string {
  const int = asInteger(readSigned(text, 0, 64));
  // "-0" is no unsigned literal, but its value is one.
  const uint = int === 0n ? 0n : asInteger(readUnsigned(text));
  const integer = int ?? uint;
  if (integer !== undefined) return { int, uint, float: Number(integer) };
  const float = readFloat(text);
  if (typeof float === "string") return `illegal number syntax: ${quote(text)}`;
  if (!/[.eEpP]/.test(text)) return `integer overflow: ${quote(text)}`;
  return { float, int: integerOf(float, -maxInt, maxInt), uint: integerOf(float, 0, maxUint) };
}

function asInteger(value: bigint | string): bigint | undefined {
  return typeof value === "bigint" ? value : undefined;
}
