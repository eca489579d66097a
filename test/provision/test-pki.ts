/** A certificate authority for tests: the certificates that an engine and its client need, by our own making of them. */
import { X509Certificate, type KeyObject } from "node:crypto";
import { issueCertificate } from "../../src/tls/certificate.ts";
import type { CertificateRole, Issuer } from "../../src/tls/certificate-encoder.ts";
import { formatKey, generateKey } from "../../src/tls/key.ts";

export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface TestPki {
  readonly ca: string;
  readonly client: KeyPair;
  /** For an engine at this address. */
  server(address: string): Promise<KeyPair>;
}

export async function createTestPki(): Promise<TestPki> {
  const key = await generateKey("ecdsa");
  const ca = await issue({ kind: "authority" }, key, undefined);
  const issuer = { certificate: new X509Certificate(ca), key };
  const pair = async (role: CertificateRole): Promise<KeyPair> => {
    const own = await generateKey("ecdsa");
    return { certificate: await issue(role, own, issuer), key: formatKey(own) };
  };
  return {
    ca,
    client: await pair({ kind: "client" }),
    server: (address) => pair({ kind: "server", names: [address], isSwarmMaster: false }),
  };
}

function issue(role: CertificateRole, key: KeyObject, issuer: Issuer | undefined): Promise<string> {
  return issueCertificate({ role, organization: "test", key, now: new Date(), issuer });
}
