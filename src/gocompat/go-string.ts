/**
 * Go strings in JavaScript ones. A Go string is any bytes, usually UTF-8; ours is the decoded text, in which a byte
 * that is not part of valid UTF-8 stands as the lone surrogate U+DC00 + byte. Text that holds no such byte is an
 * ordinary string, so only code that counts or cuts bytes needs this file.
 */

/** Over bytes as Latin-1: a run of ASCII, a well-formed UTF-8 sequence, or any single other byte. */
const validSequence =
  /\p{ASCII}+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|\xed[\x80-\x9f][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|[\x80-\xff]/gu;
const loneSurrogate = /\p{Surrogate}/u;
const asciiOnly = /^\p{ASCII}*$/u;

/** The character U+FFFD, which Go shows for a byte that is not UTF-8. */
export const replacementCharacter = "\ufffd";

/** The bytes of a Go string. A lone surrogate that stands for no byte becomes U+FFFD, as Go's decoders make it. */
export function encodeGoString(text: string): Buffer {
  if (!loneSurrogate.test(text)) return Buffer.from(text);
  return Buffer.concat(
    Array.from(text, (rune) => (isEscapedByte(rune) ? Buffer.of(rune.charCodeAt(0) - 0xdc00) : Buffer.from(rune))),
  );
}

/** The Go string of these bytes; {@link encodeGoString} gives exactly them back. */
export function decodeGoString(bytes: Uint8Array): string {
  const binary = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  if (asciiOnly.test(binary)) return binary;
  return binary.replace(validSequence, (sequence) =>
    sequence.length === 1 && sequence > "\x7f"
      ? String.fromCharCode(0xdc00 + sequence.charCodeAt(0))
      : Buffer.from(sequence, "latin1").toString(),
  );
}

/** True for a character (one code point) that stands for a byte outside UTF-8. */
export function isEscapedByte(rune: string): boolean {
  return rune.length === 1 && rune >= "\udc80" && rune <= "\udcff";
}

/** `len(s)` of Go: the number of bytes. */
export function byteLength(text: string): number {
  return loneSurrogate.test(text) ? encodeGoString(text).length : Buffer.byteLength(text);
}

/** `utf8.RuneCountInString` of Go. */
export function runeCount(text: string): number {
  if (asciiOnly.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}

/** Order of Go's `<` on strings, which compares bytes; JavaScript's compares UTF-16 units. */
export function compareGoStrings(a: string, b: string): number {
  if (asciiOnly.test(a) && asciiOnly.test(b)) return a < b ? -1 : Number(a > b);
  return Buffer.compare(encodeGoString(a), encodeGoString(b));
}

/** The text for a terminal or file that takes UTF-8 only: bytes outside UTF-8 become U+FFFD. */
export function toDisplayText(text: string): string {
  return loneSurrogate.test(text) ? encodeGoString(text).toString() : text;
}
