/**
 * What a certificate says, and its bytes. Key identifiers are more than 0.16.2 writes; strict verifiers (Python 3.13) ask for them.
 * Loaded only when a certificate is made: the ASN.1 schemas take 50 ms to load.
 */
import { createHash, randomBytes, sign, type KeyObject, type X509Certificate } from "node:crypto";
import { alternativeName } from "./alternative-names.ts";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import * as x509 from "@peculiar/asn1-x509";
import { MachineError } from "../errors/machine-error.ts";
import type { ValidityPeriod } from "../system/certificate-glance.ts";
import { publicKeyDer } from "./key.ts";

/** What a certificate is for. */
export type CertificateRole =
  | { readonly kind: "authority" }
  | { readonly kind: "client" }
  /** `names` are host names and addresses; a swarm master also connects to its nodes as a client. */
  | { readonly kind: "server"; readonly names: readonly string[]; readonly isSwarmMaster: boolean };

export interface CertificateRequest {
  readonly role: CertificateRole;
  /** The subject: the user, followed by what the certificate is for. */
  readonly organization: string;
  /** The key whose public half is certified; where nobody else signs, the private one. */
  readonly key: KeyObject;
  /** Beside the organization. */
  readonly commonName?: string | undefined;
  /** Its end; that of 0.16.2's certificates unless given. */
  readonly until?: Date | undefined;
  readonly now: Date;
  /** Who signs; undefined = the key itself. */
  readonly issuer?: Issuer | undefined;
}

export interface Issuer {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

const validDays = 1080;
const dayMs = 24 * 60 * 60 * 1000;
/** A certificate's dates have four digits for the year (RFC 5280, 4.1.2.5.2), and one must end before they do. */
const latestYear = 9_995;
/** Hosts' clocks are a little behind now and then. */
const backdatedMinutes = 5;

/** From five minutes ago, at the full minute, as 0.16.2 has it. */
function newValidity(now: Date, until: Date | undefined): ValidityPeriod {
  if (now.getUTCFullYear() > latestYear)
    throw new MachineError("certificate-invalid", `No certificate can be made: this computer's clock says ${now.toISOString()}`, {
      hint: "Set the clock right and run the command again.",
    });
  const notBefore = Math.floor(now.getTime() / 60_000 - backdatedMinutes) * 60_000;
  return { notBefore: new Date(notBefore), notAfter: until ?? new Date(notBefore + validDays * dayMs) };
}

/** The certificate as DER. */
export function encodeCertificate(request: CertificateRequest): Buffer {
  const issuer = request.issuer && AsnConvert.parse(request.issuer.certificate.raw, x509.Certificate).tbsCertificate;
  const signingKey = request.issuer?.key ?? request.key;
  const signatureAlgorithm = signatureAlgorithmOf(signingKey);
  const subject = subjectName(request);
  const publicKey = AsnConvert.parse(publicKeyDer(request.key), x509.SubjectPublicKeyInfo);
  const tbsCertificate = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: newSerialNumber(),
    signature: signatureAlgorithm,
    issuer: issuer?.subject ?? subject,
    validity: new x509.Validity(newValidity(request.now, request.until)),
    subject,
    subjectPublicKeyInfo: publicKey,
    extensions: new x509.Extensions(extensionsOf(request.role, publicKey, request.key, issuer)),
  });
  const digest = signingKey.asymmetricKeyType === "ed25519" ? null : "sha256";
  const signatureValue = arrayBufferOf(sign(digest, Buffer.from(AsnConvert.serialize(tbsCertificate)), signingKey));
  return Buffer.from(AsnConvert.serialize(new x509.Certificate({ tbsCertificate, signatureAlgorithm, signatureValue })));
}

/** By the type of the signing key. Only RSA's has parameters, and they are null. */
const signatureAlgorithms: Readonly<Record<string, Partial<x509.AlgorithmIdentifier>>> = {
  rsa: { algorithm: "1.2.840.113549.1.1.11", parameters: null },
  ec: { algorithm: "1.2.840.10045.4.3.2" },
  ed25519: { algorithm: "1.3.101.112" },
};

function signatureAlgorithmOf(key: KeyObject): x509.AlgorithmIdentifier {
  const algorithm = signatureAlgorithms[key.asymmetricKeyType ?? ""];
  if (algorithm !== undefined) return new x509.AlgorithmIdentifier(algorithm);
  throw new MachineError("certificate-invalid", `A CA key of type ${key.asymmetricKeyType} cannot sign certificates here`, {
    hint: "Use an RSA, ECDSA or Ed25519 key.",
  });
}

/** 128 random bits as the content of an ASN.1 INTEGER: positive, and as short as can be. */
function newSerialNumber(): ArrayBuffer {
  const hex = (BigInt(`0x${randomBytes(16).toString("hex")}`) || 1n).toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
  const isNegative = (bytes[0] ?? 0) > 0x7f;
  return arrayBufferOf(isNegative ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
}

/** `O=…`; a PrintableString where its alphabet allows, as Go encodes it. */
function subjectName({ organization, commonName }: CertificateRequest): x509.Name {
  return new x509.Name([
    namePart("2.5.4.10", organization),
    ...(commonName === undefined ? [] : [namePart("2.5.4.3", commonName)]),
  ]);
}

function namePart(type: string, text: string): x509.RelativeDistinguishedName {
  const isPrintable = /^[A-Za-z0-9 '()+,\-./:=?]*$/u.test(text);
  const value = new x509.AttributeValue(isPrintable ? { printableString: text } : { utf8String: text });
  return new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type, value })]);
}

function extensionsOf(
  role: CertificateRole,
  publicKey: x509.SubjectPublicKeyInfo,
  key: KeyObject,
  issuer: x509.TBSCertificate | undefined,
): x509.Extension[] {
  const extensions = [
    extension(x509.id_ce_keyUsage, "critical", new x509.KeyUsage(keyUsageOf(role, key.asymmetricKeyType === "rsa"))),
    extension(x509.id_ce_basicConstraints, "critical", new x509.BasicConstraints({ cA: role.kind === "authority" })),
    extension(x509.id_ce_subjectKeyIdentifier, "optional", new x509.SubjectKeyIdentifier(keyIdentifierOf(publicKey))),
  ];
  if (role.kind !== "authority") {
    extensions.push(extension(x509.id_ce_extKeyUsage, "optional", new x509.ExtendedKeyUsage(purposesOf(role))));
  }
  const issuerKey = issuer?.extensions?.find((candidate) => candidate.extnID === x509.id_ce_subjectKeyIdentifier);
  if (issuerKey !== undefined) {
    const keyIdentifier = AsnConvert.parse(issuerKey.extnValue.buffer, x509.SubjectKeyIdentifier);
    extensions.push(extension(x509.id_ce_authorityKeyIdentifier, "optional", new x509.AuthorityKeyIdentifier({ keyIdentifier })));
  }
  if (role.kind === "server") {
    const names = alternativeNames(role.names).map((name) => new x509.GeneralName(name));
    extensions.push(extension(x509.id_ce_subjectAltName, "optional", new x509.SubjectAlternativeName(names)));
  }
  return extensions;
}

function extension(extnID: string, weight: "critical" | "optional", value: unknown): x509.Extension {
  return new x509.Extension({ extnID, critical: weight === "critical", extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function keyUsageOf(role: CertificateRole, canEncipher: boolean): number {
  const flags = x509.KeyUsageFlags;
  if (role.kind === "client") return flags.digitalSignature;
  // RFC 8813: the key of an elliptic curve enciphers nothing.
  const common = flags.digitalSignature | flags.keyAgreement | (canEncipher ? flags.keyEncipherment : 0);
  return role.kind === "authority" ? common | flags.keyCertSign : common;
}

function purposesOf(role: Exclude<CertificateRole, { kind: "authority" }>): string[] {
  if (role.kind === "client") return [x509.id_kp_clientAuth];
  return role.isSwarmMaster ? [x509.id_kp_serverAuth, x509.id_kp_clientAuth] : [x509.id_kp_serverAuth];
}

/** RFC 5280, 4.2.1.2: SHA-1 of the public key's bits. */
function keyIdentifierOf(publicKey: x509.SubjectPublicKeyInfo): ArrayBuffer {
  return arrayBufferOf(createHash("sha1").update(Buffer.from(publicKey.subjectPublicKey)).digest());
}

/** Each name once. Throws `usage`. */
function alternativeNames(names: readonly string[]): Partial<x509.GeneralName>[] {
  const read = names.flatMap((name) => alternativeName(name) ?? []);
  const once = new Map(read.map((one) => [one.name, one]));
  return [...once.values()].map(({ kind, name }) => (kind === "address" ? { iPAddress: name } : { dNSName: name }));
}

function arrayBufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
