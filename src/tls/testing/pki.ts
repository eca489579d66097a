/** A certificate authority in memory, for tests that need certificates and not where they come from. */
import type { KeyObject } from "node:crypto";
import type { ClientCredentials } from "../authority-files.ts";
import { issueCertificate, parseCertificate } from "../certificate.ts";
import type { CertificateRole, Issuer } from "../certificate-encoder.ts";
import { formatKey, generateKey } from "../key.ts";

export interface TestPair {
  readonly certificate: string;
  readonly key: string;
}

export class TestAuthority {
  readonly ca: string;
  readonly #issuer: Issuer;

  private constructor(ca: string, key: KeyObject) {
    this.ca = ca;
    this.#issuer = { certificate: parseCertificate(ca, "ca.pem"), key };
  }

  /** A new CA with an elliptic-curve key, which takes milliseconds. */
  static async create(organization = "tester", now = new Date()): Promise<TestAuthority> {
    const key = await generateKey("ecdsa");
    return new TestAuthority(await issueCertificate({ role: { kind: "authority" }, organization, key, now }), key);
  }

  async issue(role: CertificateRole, now = new Date()): Promise<TestPair> {
    const key = await generateKey("ecdsa");
    const certificate = await issueCertificate({ role, organization: `tester.${role.kind}`, key, issuer: this.#issuer, now });
    return { certificate, key: formatKey(key) };
  }

  async issueServer(...names: readonly string[]): Promise<TestPair> {
    return await this.issue({ kind: "server", names, isSwarmMaster: false });
  }

  /** A client certificate with this CA as the one to trust. */
  async issueClient(now = new Date()): Promise<ClientCredentials> {
    const { certificate, key } = await this.issue({ kind: "client" }, now);
    return { ca: this.ca, cert: certificate, key };
  }
}
