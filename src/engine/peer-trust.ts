/**
 * What an engine's certificate must be beyond signed and in time: of strong keys and hashes, for a server, and by a CA
 * that was really given. The TLS libraries underneath differ in which of these they look at.
 */
import { X509Certificate } from "node:crypto";
import { certificatesIn, glanceAt } from "../system/certificate-glance.ts";

const serverAuthentication = "1.3.6.1.5.5.7.3.1";
const anyPurpose = "2.5.29.37.0";
const fewestRsaBits = 2048;
const fewestCurveBits = 224;

/** Object identifiers of signatures by hashes that can be forged: RFC 3279, RFC 8017 appendix A. */
const weakSignatures: ReadonlyMap<string, string> = new Map([
  ["06092a864886f70d010102", "MD2-RSA"],
  ["06092a864886f70d010104", "MD5-RSA"],
  ["06092a864886f70d010105", "SHA1-RSA"],
  ["06072a8648ce380403", "DSA-SHA1"],
  ["06072a8648ce3d0401", "ECDSA-SHA1"],
]);

/** Why an engine's certificate is refused, in Go's words as far as it has them; undefined where it is good enough. */
export function objectionTo(engineDer: Uint8Array, caPem: string): string | undefined {
  const certificate = new X509Certificate(engineDer);
  const purposes = certificate.keyUsage as readonly string[] | undefined;
  const isForServers =
    purposes === undefined ? !certificate.ca : [serverAuthentication, anyPurpose].some((one) => purposes.includes(one));
  if (!isForServers) return "x509: certificate specifies an incompatible key usage";
  const weakHash = weakSignatures.get(glanceAt(engineDer)?.signature ?? "");
  if (weakHash !== undefined) return `x509: cannot verify signature: insecure algorithm ${weakHash}`;
  const issuers = certificatesIn(caPem).map((pem) => new X509Certificate(pem));
  return [certificate, ...issuers.filter((ca) => certificate.checkIssued(ca))]
    .map(weakKeyOf)
    .find((found) => found !== undefined);
}

function weakKeyOf({ publicKey }: X509Certificate): string | undefined {
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && modulusLength < fewestRsaBits) return `x509: a key of ${modulusLength} bits is too short`;
  const curveBits = Number(/\d{3}/u.exec(namedCurve ?? "")?.[0] ?? fewestCurveBits);
  return curveBits < fewestCurveBits ? `x509: a key on the curve ${namedCurve} is too short` : undefined;
}
