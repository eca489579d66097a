/** What certificates on disk say about themselves: for how long, for which names, and by whom. Reads, never writes. */
import { isIP } from "node:net";
import { readRegularFileIfExists } from "../system/files.ts";
import { isExpired, parseCertificate, validityOf } from "./certificate.ts";
import type { ValidityPeriod } from "../system/certificate-glance.ts";

export interface CertificateFacts extends ValidityPeriod {
  readonly file: string;
  /** Host names and addresses, as they stand in the certificate; none for a client's. */
  readonly names: readonly string[];
}

/** The facts of the first certificate in a PEM file; undefined when there is no such file. Throws `certificate-invalid`. */
export async function loadCertificateFacts(file: string): Promise<CertificateFacts | undefined> {
  const pem = await readRegularFileIfExists(file);
  return pem && certificateFacts(pem.toString("utf8"), file);
}

export function certificateFacts(pem: string, file: string): CertificateFacts {
  const certificate = parseCertificate(pem, file);
  return { file, ...validityOf(certificate), names: namesOf(certificate.subjectAltName ?? "") };
}

/** Whether a PEM certificate is for that host name or address. Throws `certificate-invalid`. */
export function isIssuedFor(pem: string, host: string, file: string): boolean {
  const certificate = parseCertificate(pem, file);
  return (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined;
}

/** `DNS:localhost, IP Address:127.0.0.1` as a list without the kinds. */
function namesOf(subjectAltName: string): string[] {
  return subjectAltName.split(", ").flatMap((name) => /^(?:DNS|IP Address):"?(.+?)"?$/u.exec(name)?.[1] ?? []);
}

/** Whether a certificate was signed by a CA and is valid now. PEM texts. Throws `certificate-invalid`. */
export function verifiesAgainst(certificatePem: string, caPem: string, now: Date): boolean {
  const [certificate, ca] = [parseCertificate(certificatePem, "the certificate"), parseCertificate(caPem, "the CA certificate")];
  return certificate.checkIssued(ca) && certificate.verify(ca.publicKey) && !isExpired(certificate, now);
}
