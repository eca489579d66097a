/** The certificate of a machine's engine, and the copies of the client's files that stand in the machine's folder. */
import { X509Certificate, createPrivateKey, type KeyObject } from "node:crypto";
import * as path from "node:path";
import { readRegularFileIfExists, writeFileAtomic } from "../system/files.ts";
import type { Clock } from "../system/clock.ts";
import { loadClientCredentials, readAuthority, withAuthorities, type AuthorityPaths } from "./authority-files.ts";
import { issuerFrom } from "./authority-plan.ts";
import { issueCertificate } from "./certificate.ts";
import { certificateFacts, isIssuedFor, verifiesAgainst } from "./check.ts";
import { validityState } from "./validity.ts";
import { formatKey, generateKey, type KeyType } from "./key.ts";

/** id-kp-clientAuth (RFC 5280, 4.2.1.12). */
const clientAuthentication = "1.3.6.1.5.5.7.3.2";

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
  /** Made ahead, as keys take their time; undefined = a new one. */
  readonly key?: Promise<KeyObject> | undefined;
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
  const key = await (request.key ?? generateKey(request.keyType));
  const certificate = await issueCertificate({
    role: { kind: "server", names: namesFor(request), isSwarmMaster },
    organization: `${request.userName}.${machineName}`,
    key,
    issuer,
    now: request.clock.now(),
  });
  return { ca: authority.caCert ?? issuer.certificate.toString(), certificate, key: formatKey(key) };
}

function namesFor({ extraNames, addresses, machineName }: ServerCertificateRequest): string[] {
  return [...extraNames, ...addresses, "localhost", machineName];
}

/**
 * The pair that stands in the machine's folder, if it is as good as one made now: an engine that keeps it need not
 * restart. Undefined where a file is missing or unreadable, the pair does not belong together, the CA is another, a name
 * or a use is missing, or its end is near enough to be warned of.
 */
export async function loadServerCertificate(
  machineDir: string,
  request: ServerCertificateRequest,
): Promise<ServerCertificate | undefined> {
  const read = async (name: string): Promise<string> =>
    (await readRegularFileIfExists(path.join(machineDir, name)))?.toString("utf8") ?? "";
  const [certificate, key, authority] = [
    await read("server.pem"),
    await read("server-key.pem"),
    await readAuthority(request.paths),
  ];
  const server = { ca: authority.caCert ?? "", certificate, key };
  try {
    return stillServes(server, request) ? server : undefined;
  } catch {
    return undefined;
  }
}

/** Throws where one of the texts is not what it should be. */
function stillServes({ ca, certificate, key }: ServerCertificate, request: ServerCertificateRequest): boolean {
  const now = request.clock.now();
  const file = "server.pem";
  const facts = certificateFacts(certificate, file);
  const parsed = new X509Certificate(certificate);
  return (
    parsed.checkPrivateKey(createPrivateKey(key)) &&
    verifiesAgainst(certificate, ca, now) &&
    validityState(facts, now) === "valid" &&
    (!request.isSwarmMaster || parsed.keyUsage.includes(clientAuthentication)) &&
    // The machine proves itself by its name to the letter; addresses and other names have more than one spelling.
    facts.names.includes(request.machineName) &&
    namesFor(request).every((name) => name === "" || facts.names.includes(name) || isIssuedFor(certificate, name, file))
  );
}

/**
 * Writes what a docker client and 0.16.2 look for in the machine's folder: `ca.pem`, `cert.pem` and `key.pem`, and with
 * them the engine's own pair. `shared` are CAs of other owners of the engine; they stand behind our own.
 */
export async function writeMachineCertificates(
  machineDir: string,
  paths: AuthorityPaths,
  server: ServerCertificate,
  shared: readonly string[] = [],
): Promise<void> {
  const client = await loadClientCredentials(paths);
  const files = {
    "ca.pem": { text: withAuthorities(client.ca, shared), mode: 0o644 },
    "key.pem": { text: client.key, mode: 0o600 },
    "cert.pem": { text: client.cert, mode: 0o644 },
    "server-key.pem": { text: server.key, mode: 0o600 },
    "server.pem": { text: server.certificate, mode: 0o644 },
  };
  for (const [name, { text, mode }] of Object.entries(files)) await writeFileAtomic(path.join(machineDir, name), text, mode);
}

/** The machine's copy of the CA alone, as {@link writeMachineCertificates} writes it. */
export async function writeMachineAuthority(machineDir: string, paths: AuthorityPaths, shared: readonly string[]): Promise<void> {
  const { ca } = await loadClientCredentials(paths);
  await writeFileAtomic(path.join(machineDir, "ca.pem"), withAuthorities(ca, shared), 0o644);
}
