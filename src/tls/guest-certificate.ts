/** A client certificate for somebody else's key, with an end of its own. */
import { X509Certificate, type KeyObject } from "node:crypto";
import { readAuthority, type AuthorityPaths } from "./authority-files.ts";
import { issuerFrom } from "./authority-plan.ts";
import { issueCertificate } from "./certificate.ts";

export interface GuestCertificateRequest {
  readonly paths: AuthorityPaths;
  /** The common name, by which an engine's log knows them. */
  readonly person: string;
  readonly publicKey: KeyObject;
  readonly now: Date;
  readonly until: Date;
}

/** PEM, and its SHA-256 in hexadecimal digits. Throws `certificate-invalid` where this store's authority cannot sign. */
export async function createGuestCertificate({
  paths,
  person,
  publicKey,
  now,
  until,
}: GuestCertificateRequest): Promise<{ readonly certificate: string; readonly fingerprint: string }> {
  const issuer = issuerFrom(await readAuthority(paths), paths);
  const certificate = await issueCertificate({
    role: { kind: "client" },
    organization: `${person}.<guest>`,
    commonName: person,
    key: publicKey,
    issuer,
    now,
    until,
  });
  return { certificate, fingerprint: new X509Certificate(certificate).fingerprint256.replaceAll(":", "").toLowerCase() };
}
