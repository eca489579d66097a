/**
 * Values as Go reads and writes them: its boolean words, its integers, its quoting, and the texts of its errors, which
 * scripts and users of 0.16.2 know.
 */

const booleans: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(["1", "t", "T", "TRUE", "true", "True"].map((word) => [word, true])),
  ...Object.fromEntries(["0", "f", "F", "FALSE", "false", "False"].map((word) => [word, false])),
};

/** A value, or why there is none, in Go's words. */
export type Parsed<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly reason: string };

/** As Go's `strconv.ParseBool`. */
export function parseGoBool(text: string): Parsed<boolean> {
  const value = Object.hasOwn(booleans, text) ? booleans[text] : undefined;
  return value === undefined ? failed("ParseBool", text, "invalid syntax") : { ok: true, value };
}

const integer = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|0([0-7]+)|(\d+))$/u;

/**
 * As Go's `strconv.ParseInt(text, 0, 64)`: decimal, `0x` hexadecimal, leading `0` octal. What a JavaScript number
 * cannot hold exactly counts as out of range.
 */
export function parseGoInt(text: string): Parsed<number> {
  const found = integer.exec(text);
  const [, sign, hexadecimal, octal, decimal] = found ?? [];
  if (found === null || (decimal !== undefined && /^0\d/u.test(decimal))) return failed("ParseInt", text, "invalid syntax");
  const magnitude =
    hexadecimal !== undefined
      ? Number.parseInt(hexadecimal, 16)
      : octal !== undefined
        ? Number.parseInt(octal, 8)
        : Number(decimal);
  if (!Number.isSafeInteger(magnitude)) return failed("ParseInt", text, "value out of range");
  return { ok: true, value: sign === "-" && magnitude !== 0 ? -magnitude : magnitude };
}

function failed(routine: string, text: string, why: string): { ok: false; reason: string } {
  return { ok: false, reason: `strconv.${routine}: parsing ${goQuote(text)}: ${why}` };
}

const escapes: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\u0007": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
};

/** As Go's `%q` for strings. */
export function goQuote(text: string): string {
  return `"${Array.from(text, quoteCharacter).join("")}"`;
}

function quoteCharacter(character: string): string {
  const escape = escapes[character];
  if (escape !== undefined) return escape;
  if (character === " " || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return `\\x${code.toString(16).padStart(2, "0")}`;
  // A lone surrogate cannot be encoded in UTF-8: Go sees the replacement character.
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
