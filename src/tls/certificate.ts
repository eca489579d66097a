/**
 * X.509 certificates as 0.16.2 makes them: 1080 days, a subject of nothing but an organization, its key usages. How
 * one becomes bytes is the encoder's, which is loaded on first use.
 */
import { X509Certificate } from "node:crypto";
import { MachineError } from "../errors/machine-error.ts";
import type { ValidityPeriod } from "../system/certificate-glance.ts";
import type { CertificateRequest } from "./certificate-encoder.ts";

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
