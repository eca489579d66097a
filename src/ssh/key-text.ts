/**
 * The text of a private key file as OpenSSH reads it. Variables of CI systems lose the last line break, editors add
 * carriage returns, a byte order mark or blanks: OpenSSH then finds no key, and says nothing of why.
 */

export interface KeyText {
  /** Lines without blanks around them, line feeds only, one at the end. */
  readonly text: string;
  /** Why OpenSSH does not read the file as it is, a clause behind its name; undefined where it does. */
  readonly flaw: string | undefined;
}

const flaws: readonly (readonly [RegExp, string])[] = [
  [/^\uFEFF/u, "begins with a byte order mark"],
  [/\r/u, "has line breaks of Windows (CR LF)"],
  [/-----BEGIN [A-Z0-9 ]+-----[^\n]/u, "stands on one line"],
  [/^[ \t]+-----BEGIN /mu, "is indented"],
  [/[^\n]$/u, "has no line break at its end"],
];

export function readKeyText(raw: string): KeyText {
  const found = /-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----/u.exec(raw);
  if (found === null) return { text: raw, flaw: undefined };
  const flaw = flaws.find(([pattern]) => pattern.test(raw))?.[1];
  return flaw === undefined ? { text: raw, flaw } : { text: mended(raw, found[1] ?? ""), flaw };
}

/** PEM: lines of 64 characters (RFC 7468); a header such as `Proc-Type:` keeps the lines that it has. */
function mended(raw: string, label: string): string {
  const [, body = ""] = new RegExp(`-----BEGIN ${label}-----([^]*?)-----END ${label}-----`, "u").exec(raw) ?? [];
  const lines = body.includes(":")
    ? body.split("\n").map((line) => line.trim())
    : (body.replaceAll(/\s+/gu, "").match(/.{1,64}/gu) ?? []);
  const inner = lines.join("\n").replace(/^\n+|\n+$/gu, "");
  return `-----BEGIN ${label}-----\n${inner}\n-----END ${label}-----\n`;
}
