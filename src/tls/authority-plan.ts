/**
 * What is to be done about the files of a certificate authority. Pure. Files in the certificates' folder are the
 * program's own and are replaced when they have expired or do not fit together; files elsewhere are the user's and are
 * not.
 */
import type { X509Certificate } from "node:crypto";
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import type { AuthorityPaths, AuthorityTexts } from "./authority-files.ts";
import { isExpired, isForged, parseCertificate, validityOf } from "./certificate.ts";
import type { Issuer } from "./certificate-encoder.ts";
import { parseKey } from "./key.ts";

export type AuthorityPlan =
  | { readonly makes: "nothing" }
  /** A new CA, and a client certificate of it. `because` is for the user; undefined when there were none. */
  | { readonly makes: "all"; readonly because: string | undefined }
  | { readonly makes: "client"; readonly because: string | undefined; readonly issuer: Issuer };

/** Throws `certificate-invalid` where the way out is the user's to choose. */
export function planAuthority(texts: AuthorityTexts, paths: AuthorityPaths, now: Date): AuthorityPlan {
  const clientFiles = existing([texts.clientCert, paths.clientCertPath], [texts.clientKey, paths.clientKeyPath]);
  if (texts.caCert === undefined) {
    if (texts.caKey !== undefined) throw keyWithoutCertificate(paths);
    requireOwn(clientFiles, paths, `There is no CA certificate ${paths.caCertPath}`);
    return { makes: "all", because: undefined };
  }
  const ca = parseCertificate(texts.caCert, paths.caCertPath);
  if (isExpired(ca, now)) {
    requireOwn([paths.caCertPath, paths.caKeyPath, ...clientFiles], paths, expired(`The CA certificate ${paths.caCertPath}`, ca));
    return { makes: "all", because: "CA certificate is outdated and needs to be regenerated" };
  }
  const complaint = complaintAboutClient(texts, paths, ca, now);
  if (complaint === undefined) return { makes: "nothing" };
  requireOwn(clientFiles, paths, complaint);
  return { makes: "client", because: clientFiles.length === 0 ? undefined : complaint, issuer: issuerFrom(texts, paths) };
}

/** A sentence for each of the store's certificates that is of the future by this computer's clock: nobody here takes what it signs. */
export function futureCertificates(texts: AuthorityTexts, paths: AuthorityPaths, now: Date): string[] {
  const certificates = [
    { what: "CA", pem: texts.caCert, file: paths.caCertPath },
    { what: "client", pem: texts.clientCert, file: paths.clientCertPath },
  ];
  return certificates.flatMap(({ what, pem, file }) => {
    const notBefore = pem === undefined ? undefined : validityOf(parseCertificate(pem, file)).notBefore;
    if (notBefore === undefined || notBefore <= now) return [];
    return [
      `The ${what} certificate ${file} is valid from ${notBefore.toISOString()} only, and this computer's clock says ${now.toISOString()}. ` +
        `If that is wrong, set it right; if the clock was wrong when the certificate was made, move ${paths.certsDir} away: ` +
        "a new CA is made, and each machine then needs regenerate-certs",
    ];
  });
}

/** The CA as one that signs. Throws `certificate-invalid` when its key is missing or another's. */
export function issuerFrom(texts: AuthorityTexts, paths: AuthorityPaths): Issuer {
  if (texts.caCert === undefined) throw invalid(`There is no CA certificate ${paths.caCertPath}`);
  if (texts.caKey === undefined) {
    throw invalid(`There is no key ${paths.caKeyPath} for the CA certificate ${paths.caCertPath}, so it cannot sign`, {
      hint: "Put the key back, or name it with --tls-ca-key.",
    });
  }
  const certificate = parseCertificate(texts.caCert, paths.caCertPath);
  const key = parseKey(texts.caKey, paths.caKeyPath);
  if (!certificate.checkPrivateKey(key)) {
    throw invalid(`The key ${paths.caKeyPath} is not that of the CA certificate ${paths.caCertPath}`, {
      hint: `Put the right key in its place. If there is none, move ${paths.certsDir} away; a new CA is made, and each machine then needs regenerate-certs.`,
    });
  }
  return { certificate, key };
}

function complaintAboutClient(texts: AuthorityTexts, paths: AuthorityPaths, ca: X509Certificate, now: Date): string | undefined {
  if (texts.clientCert === undefined) return `There is no client certificate ${paths.clientCertPath}`;
  if (texts.clientKey === undefined) return `There is no key ${paths.clientKeyPath} for the client certificate`;
  const client = parseCertificate(texts.clientCert, paths.clientCertPath);
  if (isExpired(client, now)) return "Client certificate is outdated and needs to be regenerated";
  if (!client.checkPrivateKey(parseKey(texts.clientKey, paths.clientKeyPath)))
    return "The client's key is not that of its certificate";
  // Two processes of 0.16.2 that made the first machines at once left such a pair.
  if (isForged(client, ca)) return "The client certificate was issued by an earlier CA of this store";
  return undefined;
}

function existing(...files: readonly (readonly [text: string | undefined, file: string])[]): string[] {
  return files.filter(([text]) => text !== undefined).map(([, file]) => file);
}

function requireOwn(files: readonly string[], paths: AuthorityPaths, complaint: string): void {
  const foreign = files.filter((file) => path.dirname(file) !== path.resolve(paths.certsDir));
  if (foreign.length === 0) return;
  throw invalid(complaint, { hint: `${foreign.join(" and ")} will not be overwritten: replace or remove what does not fit.` });
}

function keyWithoutCertificate(paths: AuthorityPaths): MachineError {
  return invalid(`There is a CA key ${paths.caKeyPath} but no CA certificate ${paths.caCertPath}`, {
    hint: "Put the certificate back, or move the key away to have a new CA made.",
  });
}

function expired(what: string, certificate: X509Certificate): string {
  return `${what} expired on ${validityOf(certificate).notAfter.toISOString().slice(0, 10)}`;
}

function invalid(message: string, options: { hint?: string } = {}): MachineError {
  return new MachineError("certificate-invalid", message, options);
}
