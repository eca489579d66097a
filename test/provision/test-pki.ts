/** A small certificate authority for tests: the certificates that an engine and its client need. */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { webcrypto } from "node:crypto";

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

const algorithm = { name: "ECDSA", namedCurve: "P-256" } as const;
const signing = { name: "ECDSA", hash: "SHA-256" } as const;
const hourMs = 3_600_000;

export async function createTestPki(): Promise<TestPki> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = await newKeys();
  const validity = { notBefore: new Date(Date.now() - hourMs), notAfter: new Date(Date.now() + 24 * hourMs) };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: "O=test-ca",
    keys: keys as never,
    signingAlgorithm: signing,
    ...validity,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const issue = async (organization: string, extensions: readonly x509.Extension[]): Promise<KeyPair> => {
    const own = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `O=${organization}`,
      issuer: authority.subject,
      publicKey: own.publicKey as never,
      signingKey: keys.privateKey as never,
      signingAlgorithm: signing,
      ...validity,
      extensions: [...extensions],
    });
    return { certificate: pem(certificate.toString("pem")), key: await privateKeyPem(own.privateKey) };
  };
  return {
    ca: pem(authority.toString("pem")),
    client: await issue("client", [new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth])]),
    server: (address) => issue("server", [new x509.SubjectAlternativeNameExtension([{ type: "ip", value: address }])]),
  };
}

async function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key));
  return `-----BEGIN PRIVATE KEY-----\n${bytes
    .toString("base64")
    .match(/.{1,64}/gu)
    ?.join("\n")}\n-----END PRIVATE KEY-----\n`;
}

function pem(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
