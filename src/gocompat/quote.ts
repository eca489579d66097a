/** Go's string and character literals: what `%q` prints and what a template or a Go program reads. */
import { decodeGoString, encodeGoString, isEscapedByte, replacementCharacter } from "./go-string.ts";

const printable = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
const maxRune = 0x10ffff;

const shortEscapes: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

const shortEscapeValues: ReadonlyMap<string, string> = new Map(
  Object.entries(shortEscapes).map(([value, name]) => [name.slice(1), value]),
);

/** One escape after the backslash, or one plain character. */
const literalPart = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))|([^\\])/suy;

export interface QuoteOptions {
  /** Escape everything beyond ASCII, as `%+q` does. */
  readonly ascii?: boolean;
}

/** Go's `strconv.Quote` (`%q`): a double-quoted literal. */
export function quote(text: string, options: QuoteOptions = {}): string {
  return quoteWith(text, '"', options);
}

/** Go's `strconv.QuoteRune` (`%q` of a number): a single-quoted literal; what is no code point becomes U+FFFD. */
export function quoteRune(codePoint: number, options: QuoteOptions = {}): string {
  return quoteWith(runeToString(codePoint), "'", options);
}

/** The text of one code point, U+FFFD for a number that is none. */
export function runeToString(codePoint: number): string {
  const isRune = codePoint >= 0 && codePoint <= maxRune && (codePoint < 0xd800 || codePoint > 0xdfff);
  return isRune ? String.fromCodePoint(codePoint) : replacementCharacter;
}

/** Go's `strconv.CanBackquote`: whether the text can stand between backquotes unchanged. */
export function canBackquote(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- they are what backquotes cannot hold
  return text.isWellFormed() && !/[\x00-\x08\x0a-\x1f`\x7f\ufeff]/.test(text);
}

/** Go's `unicode.IsPrint` of one character. */
export function isPrintable(rune: string): boolean {
  return printable.test(rune);
}

function quoteWith(text: string, delimiter: string, options: QuoteOptions): string {
  let quoted = delimiter;
  for (const rune of text) quoted += quotedRune(rune, delimiter, options.ascii === true);
  return quoted + delimiter;
}

function quotedRune(rune: string, delimiter: string, ascii: boolean): string {
  const code = rune.codePointAt(0) ?? 0;
  if (rune === delimiter || rune === "\\") return `\\${rune}`;
  if (isEscapedByte(rune)) return `\\x${hex(code - 0xdc00, 2)}`;
  if (isPrintable(rune) && (!ascii || code < 0x80)) return rune;
  const short = shortEscapes[rune];
  if (short !== undefined) return short;
  if (code < 0x20 || code === 0x7f) return `\\x${hex(code, 2)}`;
  return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
}

function hex(value: number, width: number): string {
  return value.toString(16).padStart(width, "0");
}

/** Go's `strconv.Unquote` of a `"…"`, `` `…` `` or `'…'` literal; undefined where Go reports `invalid syntax`. */
export function unquote(literal: string): string | undefined {
  const delimiter = literal[0];
  const body = literal.slice(1, -1);
  if (literal.length < 2 || delimiter === undefined || literal.at(-1) !== delimiter) return undefined;
  switch (delimiter) {
    case "`":
      return body.includes("`") ? undefined : body.replaceAll("\r", "");
    case '"':
    case "'":
      return unquoteBody(body, delimiter);
    default:
      return undefined;
  }
}

function unquoteBody(body: string, delimiter: string): string | undefined {
  const parts: Buffer[] = [];
  let rest = body;
  while (rest !== "") {
    const next = unquoteChar(rest, delimiter);
    if (next === undefined) return undefined;
    parts.push(next.bytes);
    rest = rest.slice(next.length);
  }
  if (delimiter === "'" && parts.length > 1) return undefined;
  return decodeGoString(Buffer.concat(parts));
}

/** The first character or escape of a literal's body. */
interface LiteralChar {
  /** Its bytes in the string; an `\x` or octal escape is one byte. */
  readonly bytes: Buffer;
  /** Its value as a character constant. */
  readonly codePoint: number;
  /** How many characters of the literal it took. */
  readonly length: number;
}

/** Go's `strconv.UnquoteChar`; undefined where Go reports `invalid syntax`. */
export function unquoteChar(text: string, delimiter: string): LiteralChar | undefined {
  literalPart.lastIndex = 0;
  const match = literalPart.exec(text);
  if (match === null) return undefined;
  const [{ length }, short, byte, rune4, rune8, octal, plain] = match;
  if (plain !== undefined) return plain === delimiter || plain === "\n" ? undefined : charOf(plain, length);
  if (short !== undefined) {
    if ((short === "'" || short === '"') && short !== delimiter) return undefined;
    return charOf(shortEscapeValues.get(short) ?? short, length);
  }
  if (byte !== undefined) return byteOf(Number.parseInt(byte, 16), length);
  if (octal !== undefined) return byteOf(Number.parseInt(octal, 8), length);
  const code = Number.parseInt(rune4 ?? rune8 ?? "", 16);
  return code > maxRune || (code >= 0xd800 && code <= 0xdfff) ? undefined : charOf(String.fromCodePoint(code), length);
}

function charOf(rune: string, length: number): LiteralChar {
  const codePoint = isEscapedByte(rune) ? 0xfffd : (rune.codePointAt(0) ?? 0);
  return { bytes: encodeGoString(rune), codePoint, length };
}

function byteOf(value: number, length: number): LiteralChar | undefined {
  return value > 0xff ? undefined : { bytes: Buffer.of(value), codePoint: value, length };
}
