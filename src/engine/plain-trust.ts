/**
 * Whether an engine's certificate is plainly good enough: of the kinds that are made here and everywhere today. Says no to
 * whatever it does not know; {@link file://./peer-trust.ts} judges that, and says why.
 */
import { certificatesIn, derOf, glanceAt, type CertificateGlance } from "../system/certificate-glance.ts";

const serverAuthentication = "06082b06010505070301";
const rsa = "06092a864886f70d010101";
const ellipticCurve = "06072a8648ce3d0201";
const fewestRsaBits = 2048;

/** RSA and ECDSA with SHA-256, SHA-384, SHA-512 (RFC 4055, RFC 5758). */
const strongSignatures: ReadonlySet<string> = new Set([
  "06092a864886f70d01010b",
  "06092a864886f70d01010c",
  "06092a864886f70d01010d",
  "06082a8648ce3d040302",
  "06082a8648ce3d040303",
  "06082a8648ce3d040304",
]);

/** P-256, P-384, P-521 (RFC 5480). */
const strongCurves: ReadonlySet<string | undefined> = new Set(["06082a8648ce3d030107", "06052b81040022", "06052b81040023"]);

/** @param caPem the CAs that may have signed it: all must be strong */
export function isPlainlyTrusted(engineDer: Uint8Array, caPem: string): boolean {
  const engine = glanceAt(engineDer);
  if (engine?.purposes?.includes(serverAuthentication) !== true || !strongSignatures.has(engine.signature)) return false;
  if (!hasStrongKey(engine)) return false;
  if (issuers?.pem !== caPem) issuers = { pem: caPem, areStrong: areStrong(caPem) };
  return issuers.areStrong;
}

/** Those looked at last: the machines of a store have one authority. */
let issuers: { readonly pem: string; readonly areStrong: boolean } | undefined;

function areStrong(caPem: string): boolean {
  const found = certificatesIn(caPem).map((pem) => glanceAt(derOf(pem)));
  return found.length > 0 && found.every((one) => one !== undefined && hasStrongKey(one));
}

function hasStrongKey({ key }: CertificateGlance): boolean {
  return key.kind === rsa ? key.bits >= fewestRsaBits : key.kind === ellipticCurve && strongCurves.has(key.curve);
}
