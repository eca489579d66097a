/** Certificates in files, as servers of databases are given them: by OpenSSL, for both ends of a connection. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync } from "node:fs";
import * as path from "node:path";

export interface PairFiles {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];

/**
 * A pair of the folder's authority, which is made with the first one.
 * @param commonName none where it is empty
 * @param addresses whose it is besides 127.0.0.1
 */
export function makePair(folder: string, name: string, commonName: string, addresses: readonly string[] = []): PairFiles {
  const [authority, authorityKey] = [path.join(folder, "ca.pem"), path.join(folder, "ca-key.pem")];
  const make = (...args: readonly string[]): void =>
    void execFileSync("openssl", ["req", "-x509", ...curve, ...args], { stdio: "pipe" });
  if (!existsSync(authority)) make("-keyout", authorityKey, "-out", authority, "-subj", "/CN=authority");
  const [certificate, key] = [path.join(folder, `${name}.pem`), path.join(folder, `${name}-key.pem`)];
  const subject = commonName === "" ? "/O=team" : `/O=team/CN=${commonName}`;
  const uses = [
    `subjectAltName=${["127.0.0.1", ...addresses].map((address) => `IP:${address}`).join(",")},DNS:localhost`,
    "extendedKeyUsage=serverAuth,clientAuth",
    "basicConstraints=CA:FALSE",
  ];
  const extensions = uses.flatMap((use) => ["-addext", use]);
  make("-keyout", key, "-out", certificate, "-subj", subject, "-CA", authority, "-CAkey", authorityKey, ...extensions);
  chmodSync(key, 0o600);
  return { certificate, key, authority };
}
