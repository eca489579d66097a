/** The escaping functions of templates: html, js and urlquery. */
import { encodeGoString } from "../go-string.ts";
import { isPrintable } from "../quote.ts";

const htmlEscapes: Readonly<Record<string, string>> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

const jsEscapes: Readonly<Record<string, string>> = { "\\": "\\\\", "'": "\\'", '"': '\\"' };

export function escapeHtml(text: string): string {
  return text.replace(/[\0"'&<>]/g, (character) => htmlEscapes[character] ?? character);
}

export function escapeJs(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are among what is to be escaped
  return text.replace(/[\\'"]|[\x00-\x1f<>&=]|[^\x00-\x7f]/gu, (rune) => {
    const short = jsEscapes[rune];
    if (short !== undefined) return short;
    const isPlain = rune > "\x7f" && (isPrintable(rune) || /\p{Surrogate}/u.test(rune));
    return isPlain ? rune : `\\u${(rune.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
  });
}

/** `url.QueryEscape`: a space is a plus sign. */
export function escapeUrlQuery(text: string): string {
  const escaped = text.replace(/[^A-Za-z0-9_.~ -]+/g, (run) => [...encodeGoString(run)].map(percentEncoded).join(""));
  return escaped.replaceAll(" ", "+");
}

function percentEncoded(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
