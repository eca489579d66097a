/**
 * X.509 certificates as 0.16.2 makes them: 1080 days, a subject of nothing but an organization, its key usages. Knows
 * what a certificate says; how that becomes bytes is the encoder's, which is loaded on first use.
 */
import { X509Certificate, type KeyObject } from "node:crypto";
import { MachineError } from "../errors/machine-error.ts";
import type { ValidityPeriod } from "../system/certificate-glance.ts";

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

/** Makes and signs a certificate; the result is PEM. Throws `usage` for a name that cannot stand in one. */
export async function issueCertificate(request: CertificateRequest): Promise<string> {
  const { encodeCertificate } = await import("./certificate-encoder.ts");
  return new X509Certificate(encodeCertificate(request)).toString();
}

/** Reads the first certificate of a PEM text. `file` is named in the error: `certificate-invalid`. */
export function parseCertificate(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new MachineError("certificate-invalid", `${file} is not a certificate in PEM form`, { cause: error });
  }
}

export function isExpired(certificate: X509Certificate, now: Date): boolean {
  return now > validityOf(certificate).notAfter;
}

/** Whether a certificate names this CA as its issuer without having been signed by it. One of another CA is not forged. */
export function isForged(certificate: X509Certificate, ca: X509Certificate): boolean {
  return certificate.issuer === ca.subject && !certificate.verify(ca.publicKey);
}

export function validityOf(certificate: X509Certificate): ValidityPeriod {
  return { notBefore: new Date(certificate.validFrom), notAfter: new Date(certificate.validTo) };
}
