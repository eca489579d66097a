/**
 * What a certificate says at a glance, read straight out of its bytes (RFC 5280, 4.1): loading an X.509 library costs the
 * commands of every day more than all that they want to know. Checks no signature and judges nothing.
 */

/** Object identifiers are the DER of their element, in hexadecimal digits. */
export interface CertificateGlance {
  /** Object identifier of the algorithm that it is signed with. */
  readonly signature: string;
  readonly key: {
    /** Object identifier of the key's kind. */
    readonly kind: string;
    /** Of a key on a curve, the curve's object identifier. */
    readonly curve: string | undefined;
    /** Bits of an RSA key's modulus; of others, meaningless. */
    readonly bits: number;
  };
  /** Object identifiers of what it is for; undefined where it does not say. */
  readonly purposes: readonly string[] | undefined;
}

const pemCertificate = /-----BEGIN CERTIFICATE-----([\s\S]+?)-----END CERTIFICATE-----/gu;

/** The certificates of a PEM text, in PEM. */
export function certificatesIn(pem: string): string[] {
  return pem.match(pemCertificate) ?? [];
}

/** The bytes of the first certificate of a PEM text; none where there is none. */
export function derOf(pem: string): Buffer {
  return Buffer.from([...pem.matchAll(pemCertificate)][0]?.[1] ?? "", "base64");
}

export interface ValidityPeriod {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Undefined for bytes that are not formed as a certificate is. */
export function glanceAt(der: Uint8Array): CertificateGlance | undefined {
  return ifFormed(readGlance, der);
}

/** From when and until when it is valid; undefined for bytes that are not formed as a certificate is. */
export function validityOf(der: Uint8Array): ValidityPeriod | undefined {
  return ifFormed(readValidity, der);
}

function ifFormed<Seen>(read: (bytes: Buffer) => Seen, der: Uint8Array): Seen | undefined {
  try {
    return read(Buffer.from(der.buffer, der.byteOffset, der.byteLength));
  } catch {
    return undefined;
  }
}

/** Context tag 0: the version, which the first version leaves out. */
const versionTag = 0xa0;
/** Context tag 3: the extensions. */
const extensionsTag = 0xa3;
const generalizedTimeTag = 0x18;
const extendedKeyUsage = "0603551d25";

function readGlance(bytes: Buffer): CertificateGlance {
  const [signed, algorithm] = partsOf(bytes, elementAt(bytes, 0));
  const fields = fieldsOf(bytes, signed);
  const [identifier] = partsOf(bytes, algorithm);
  if (fields[5] === undefined) throw new RangeError("no key");
  return {
    signature: hexOf(bytes, identifier),
    key: keyOf(bytes, fields[5]),
    purposes: purposesOf(
      bytes,
      fields.find(({ tag }) => tag === extensionsTag),
    ),
  };
}

function readValidity(bytes: Buffer): ValidityPeriod {
  const [signed] = partsOf(bytes, elementAt(bytes, 0));
  const [notBefore, notAfter] = partsOf(bytes, fieldsOf(bytes, signed)[3]);
  return { notBefore: timeOf(bytes, notBefore), notAfter: timeOf(bytes, notAfter) };
}

/** Serial number, signature, issuer, validity, subject, public key, and what follows. */
function fieldsOf(bytes: Buffer, signed: Element | undefined): Element[] {
  const fields = partsOf(bytes, signed);
  return fields[0]?.tag === versionTag ? fields.slice(1) : fields;
}

/** SubjectPublicKeyInfo ::= SEQUENCE { algorithm { kind, parameters }, BIT STRING } */
function keyOf(bytes: Buffer, element: Element | undefined): CertificateGlance["key"] {
  const [algorithm, key] = partsOf(bytes, element);
  const [kind, parameters] = partsOf(bytes, algorithm);
  const isOnCurve = parameters !== undefined && bytes[parameters.at] === 0x06;
  return {
    kind: hexOf(bytes, kind),
    curve: isOnCurve ? hexOf(bytes, parameters) : undefined,
    bits: isOnCurve ? 0 : modulusBits(bytes, key),
  };
}

/** RSAPublicKey ::= SEQUENCE { modulus INTEGER, … }, behind the byte that counts unused bits. */
function modulusBits(bytes: Buffer, key: Element | undefined): number {
  if (key === undefined || bytes[key.start + 1] !== 0x30) return 0;
  const [modulus] = partsOf(bytes, elementAt(bytes, key.start + 1));
  if (modulus === undefined) return 0;
  const leading = bytes.readUInt8(modulus.start) === 0 ? 1 : 0;
  const unused = Math.clz32(bytes.readUInt8(modulus.start + leading)) - 24;
  return (modulus.end - modulus.start - leading) * 8 - unused;
}

/** Extension ::= SEQUENCE { identifier, critical BOOLEAN DEFAULT FALSE, value OCTET STRING }, the value being DER again. */
function purposesOf(bytes: Buffer, element: Element | undefined): string[] | undefined {
  const [list] = partsOf(bytes, element);
  for (const extension of partsOf(bytes, list)) {
    const parts = partsOf(bytes, extension);
    const value = parts.at(-1);
    if (value === undefined || hexOf(bytes, parts[0]) !== extendedKeyUsage) continue;
    return partsOf(bytes, elementAt(bytes, value.start)).map((purpose) => hexOf(bytes, purpose));
  }
  return undefined;
}

/** UTCTime YYMMDDHHMMSSZ, of which 50 and above are of the last century; GeneralizedTime YYYYMMDDHHMMSSZ. */
function timeOf(bytes: Buffer, element: Element | undefined): Date {
  if (element === undefined) throw new RangeError("no time");
  const text = bytes.toString("latin1", element.start, element.end);
  const century = element.tag === generalizedTimeTag ? "" : Number(text.slice(0, 2)) < 50 ? "20" : "19";
  const [, year, ...rest] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/u.exec(century + text) ?? [];
  if (year === undefined) throw new RangeError("no time");
  const [month = 1, day = 1, hour = 0, minute = 0, second = 0] = rest.map(Number);
  return new Date(Date.UTC(Number(year), month - 1, day, hour, minute, second));
}

/** One DER element: where it, its contents and its end are. */
interface Element {
  readonly tag: number;
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

function elementAt(bytes: Buffer, at: number): Element {
  const tag = bytes[at];
  let length = bytes[at + 1];
  if (tag === undefined || length === undefined) throw new RangeError("no element");
  let start = at + 2;
  if (length >= 0x80) {
    const size = length & 0x7f;
    if (size === 0 || size > longestLength) throw new RangeError("no length");
    for (length = 0; start < at + 2 + size; start += 1) length = length * 256 + (bytes[start] ?? Number.NaN);
  }
  const end = start + length;
  // Nor is one that has no number for a length.
  if (!(end <= bytes.length)) throw new RangeError("an element has no end");
  return { tag, at, start, end };
}

/** Bytes of a length: more than four are of no certificate. */
const longestLength = 4;

function partsOf(bytes: Buffer, element: Element | undefined): Element[] {
  const parts: Element[] = [];
  if (element === undefined) return parts;
  for (let at = element.start; at < element.end;) {
    const part = elementAt(bytes, at);
    parts.push(part);
    at = part.end;
  }
  return parts;
}

function hexOf(bytes: Buffer, element: Element | undefined): string {
  return element === undefined ? "" : bytes.toString("hex", element.at, element.end);
}
