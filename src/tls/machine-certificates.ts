/** The certificate of a machine's engine, and the copies of the client's files that stand in the machine's folder. */
import * as path from "node:path";
import { writeFileAtomic } from "../system/files.ts";
import type { Clock } from "../system/clock.ts";
import { loadClientCredentials, readAuthority, type AuthorityPaths } from "./authority-files.ts";
import { issuerFrom } from "./authority-plan.ts";
import { issueCertificate } from "./certificate.ts";
import { formatKey, generateKey, type KeyType } from "./key.ts";

export interface ServerCertificateRequest {
  readonly paths: AuthorityPaths;
  readonly machineName: string;
  readonly userName: string;
  /** Where the engine is reached, as far as known. */
  readonly addresses: readonly string[];
  /** Values of `--tls-san`. */
  readonly extraNames: readonly string[];
  readonly isSwarmMaster: boolean;
  readonly keyType: KeyType;
  readonly clock: Clock;
}

/** PEM texts for the engine: its own pair and the CA that its clients are checked against. */
export interface ServerCertificate {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/**
 * Makes the engine's certificate. It is valid for the names given, the addresses, `localhost`, and the machine's name,
 * which outlives a change of address. Throws `certificate-invalid`, and `usage` for a name that cannot stand in one.
 */
export async function createServerCertificate(request: ServerCertificateRequest): Promise<ServerCertificate> {
  const { paths, machineName, isSwarmMaster } = request;
  const authority = await readAuthority(paths);
  const issuer = issuerFrom(authority, paths);
  const key = await generateKey(request.keyType);
  const names = [...request.extraNames, ...request.addresses, "localhost", machineName];
  const certificate = await issueCertificate({
    role: { kind: "server", names, isSwarmMaster },
    organization: `${request.userName}.${machineName}`,
    key,
    issuer,
    now: request.clock.now(),
  });
  return { ca: authority.caCert ?? issuer.certificate.toString(), certificate, key: formatKey(key) };
}

/**
 * Writes what a docker client and 0.16.2 look for in the machine's folder: `ca.pem`, `cert.pem` and `key.pem`, and with
 * them the engine's own pair.
 */
export async function writeMachineCertificates(
  machineDir: string,
  paths: AuthorityPaths,
  server: ServerCertificate,
): Promise<void> {
  const client = await loadClientCredentials(paths);
  const files = {
    "ca.pem": { text: client.ca, mode: 0o644 },
    "key.pem": { text: client.key, mode: 0o600 },
    "cert.pem": { text: client.cert, mode: 0o644 },
    "server-key.pem": { text: server.key, mode: 0o600 },
    "server.pem": { text: server.certificate, mode: 0o644 },
  };
  for (const [name, { text, mode }] of Object.entries(files)) await writeFileAtomic(path.join(machineDir, name), text, mode);
}
