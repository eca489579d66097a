/**
 * Whose clients an engine answers. Its ca.pem may hold several authorities; the certificate that it proves itself with
 * is one owner's. Pure.
 */
import { createHash, X509Certificate } from "node:crypto";
import { MachineError } from "../../errors/machine-error.ts";
import { isIssuedFor } from "../../tls/check.ts";
import type { HostFacts } from "../facts/facts.ts";
import type { ProvisionRequest } from "../provision-request.ts";
import { certificateFiles } from "./engine-settings.ts";

/** How the engine is shared with others who set it up before. */
export interface Sharing {
  /** Authorities on the host that are not ours: PEM texts. */
  readonly others: readonly string[];
  /** What ca.pem is to hold. */
  readonly ca: string;
  /**
   * The engine goes on to prove itself with the certificate of another owner, whose clients know no other: these are the
   * authorities that we have to know beside our own. Empty = it proves itself with ours.
   */
  readonly trusted: readonly string[];
}

/** The certificates of a PEM text, each on its own. */
export function certificatesIn(pem: string): readonly string[] {
  return (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/gu) ?? []).map((text) => `${text}\n`);
}

/** Names an owner in what is recorded on a host: a digest of the authority, which is no secret. */
export function ownerIdOf(authority: string): string {
  return createHash("sha256")
    .update(authority.replace(/-----[^-]*-----|\s/gu, ""))
    .digest("hex")
    .slice(0, 16);
}

/** The ids under which this store may have recorded changes: by its authority now, and by the one it had before. */
export function ownerIdsOf({ caCertificate, formerCa = "" }: ProvisionRequest): readonly string[] {
  return [...new Set([...certificatesIn(caCertificate), ...certificatesIn(formerCa)].map(ownerIdOf))];
}

/** Throws `engine-config-conflict` where sharing is asked for and the other's certificate is of no use to us. */
export function sharingOf(facts: HostFacts, request: ProvisionRequest, folder: string): Sharing {
  const others = authoritiesOfOthers(facts, request, folder);
  const present = facts.ownFiles.get(`${folder}/${certificateFiles.ca}`) ?? "";
  const [own = ""] = ownerIdsOf(request);
  const isTheirsAndOurs = certificatesIn(present).some((authority) => ownerIdOf(authority) === own);
  if (others.length === 0 || !(request.engine.shareCa || isTheirsAndOurs)) {
    return { others, ca: request.caCertificate, trusted: [] };
  }
  const server = facts.ownFiles.get(`${folder}/${certificateFiles.certificate}`) ?? "";
  return {
    others,
    ca: isTheirsAndOurs ? present : [...certificatesIn(request.caCertificate), ...others].join(""),
    trusted: issuersOf(server, others, request),
  };
}

/** On a machine of our own there are none: what stands there is what we had before. */
export function authoritiesOfOthers(facts: HostFacts, request: ProvisionRequest, folder: string): readonly string[] {
  const present = certificatesIn(facts.ownFiles.get(`${folder}/${certificateFiles.ca}`) ?? "");
  const ours = new Set(ownerIdsOf(request));
  return request.adopted ? present.filter((authority) => !ours.has(ownerIdOf(authority))) : [];
}

function issuersOf(server: string, others: readonly string[], request: ProvisionRequest): readonly string[] {
  const issuers = others.filter((authority) => isSignedBy(server, authority));
  if (issuers.length === 0) return [];
  if (request.address === "" || isIssuedFor(server, request.address, certificateFiles.certificate)) return issuers;
  throw new MachineError(
    "engine-config-conflict",
    `The engine on ${request.machineName} cannot be shared: the certificate of its other owner is not for ${request.address} (it is for ${new X509Certificate(server).subjectAltName ?? "nothing"})`,
    { hint: "Take the machine by an address that it is for, or leave --engine-share-ca out, which locks the other owner out." },
  );
}

function isSignedBy(certificate: string, authority: string): boolean {
  try {
    return new X509Certificate(certificate).verify(new X509Certificate(authority).publicKey);
  } catch {
    return false;
  }
}

/** `O=alice (since 2025-01-03, SHA-256 12:34:…)`. */
export function describeAuthority(pem: string): string {
  try {
    const { subject, validFrom, fingerprint256 } = new X509Certificate(pem);
    const since = new Date(validFrom).toISOString().slice(0, 10);
    return `${subject.split("\n").join(", ") || "without a name"} (since ${since}, SHA-256 ${fingerprint256.slice(0, 23)}...)`;
  } catch {
    return "one that cannot be read";
  }
}
