/** Documents of several parts (RFC 2046), as cloud-init reads them. */
import { createHash } from "node:crypto";

export interface MimePart {
  /** `text/cloud-config`. */
  readonly type: string;
  readonly fileName: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly content: Uint8Array;
}

/** A document that is whole already, with its own headers; it becomes a part of the other as it is. */
export interface MimeDocument {
  readonly document: Uint8Array;
}

/** RFC 5322 allows no longer lines; a reader may fold or cut them. */
const longestLine = 990;

/**
 * The parts as one document. The boundary is made of the content: it cannot occur in it, and the same parts make the
 * same bytes.
 */
export function mimeDocument(parts: readonly (MimePart | MimeDocument)[]): Buffer {
  const bodies = parts.map((part) => ("document" in part ? Buffer.from(part.document) : partBytes(part)));
  const boundary = boundaryOf(bodies);
  const head = `Content-Type: multipart/mixed; boundary="${boundary}"\nMIME-Version: 1.0\n\n`;
  // The line end before a boundary belongs to the boundary, so that content need not end with one.
  return Buffer.concat([
    Buffer.from(head),
    ...bodies.flatMap((body) => [Buffer.from(`--${boundary}\n`), body, Buffer.from("\n")]),
    Buffer.from(`--${boundary}--\n`),
  ]);
}

function boundaryOf(bodies: readonly Buffer[]): string {
  const hash = createHash("sha256");
  for (const body of bodies) hash.update(`${body.length}:`).update(body);
  return `docker-machine-${hash.digest("hex").slice(0, 32)}`;
}

function partBytes({ type, fileName, headers = {}, content }: MimePart): Buffer {
  const asIs = travelsAsIs(content);
  const lines = [
    `Content-Type: ${type}; charset="${asIs ? "us-ascii" : "utf-8"}"`,
    ...(asIs ? [] : ["Content-Transfer-Encoding: base64"]),
    `Content-Disposition: attachment; filename="${fileName}"`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const body = asIs ? Buffer.from(content) : Buffer.from(base64Lines(content));
  return Buffer.concat([Buffer.from(`${lines.join("\n")}\n\n`), body]);
}

/** Seven bits, ordinary line ends, lines of a length that everybody reads: what needs no encoding. */
function travelsAsIs(content: Uint8Array): boolean {
  const text = Buffer.from(content).toString("latin1");
  return /^[\t\n\u0020-\u007e]*$/u.test(text) && text.split("\n").every((line) => line.length <= longestLine);
}

function base64Lines(content: Uint8Array): string {
  return (
    Buffer.from(content)
      .toString("base64")
      .match(/.{1,76}/gu) ?? []
  ).join("\n");
}
