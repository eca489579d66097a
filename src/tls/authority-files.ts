/** Where a certificate authority and the client's certificate are, and how they are read as one. */
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import type * as FileGroup from "./file-group.ts";

/** Absolute paths. All four are in `certsDir` unless the user named others. */
export interface AuthorityPaths {
  readonly certsDir: string;
  readonly caCertPath: string;
  readonly caKeyPath: string;
  readonly clientCertPath: string;
  readonly clientKeyPath: string;
}

/** Paths that the user named: `--tls-ca-cert` and its like. Those that are undefined or empty are the standard ones. */
export type NamedPaths = { readonly [Name in Exclude<keyof AuthorityPaths, "certsDir">]?: string | undefined };

/** The four PEM texts; undefined for a file that does not exist. */
export interface AuthorityTexts {
  readonly caCert: string | undefined;
  readonly caKey: string | undefined;
  readonly clientCert: string | undefined;
  readonly clientKey: string | undefined;
  /** A change of them was cut off, or is under way. */
  readonly isPending: boolean;
}

/** What a client shows to an engine, and by what it knows the engine: PEM texts. */
export interface ClientCredentials {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** The paths in a certificates' folder, except for those that are named. */
export function authorityPaths(certsDir: string, named: NamedPaths = {}): AuthorityPaths {
  const standard = {
    certsDir,
    caCertPath: path.join(certsDir, "ca.pem"),
    caKeyPath: path.join(certsDir, "ca-key.pem"),
    clientCertPath: path.join(certsDir, "cert.pem"),
    clientKeyPath: path.join(certsDir, "key.pem"),
  };
  return { ...standard, ...Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined && value !== "")) };
}

/** Where a change of the authority's files is written first. */
export function authorityLogOf(certsDir: string): string {
  return path.join(certsDir, "pending.json");
}

/** Loaded where it is used: what asks for an address reads no certificates. */
async function readGroup(...given: Parameters<typeof FileGroup.readGroup>): ReturnType<typeof FileGroup.readGroup> {
  return await (await import("./file-group.ts")).readGroup(...given);
}

export async function readAuthority(paths: AuthorityPaths): Promise<AuthorityTexts> {
  const { certsDir, caCertPath, caKeyPath, clientCertPath, clientKeyPath } = paths;
  const { texts, isPending } = await readGroup(authorityLogOf(certsDir), [caCertPath, caKeyPath, clientCertPath, clientKeyPath]);
  return {
    isPending,
    caCert: texts.get(caCertPath),
    caKey: texts.get(caKeyPath),
    clientCert: texts.get(clientCertPath),
    clientKey: texts.get(clientKeyPath),
  };
}

/** What a TLS connection to an engine needs. Takes no lock. Throws `certificate-invalid` naming the file that is missing. */
export async function loadClientCredentials(paths: Omit<AuthorityPaths, "caKeyPath">): Promise<ClientCredentials> {
  const { certsDir, caCertPath, clientCertPath, clientKeyPath } = paths;
  const { texts } = await readGroup(authorityLogOf(certsDir), [caCertPath, clientCertPath, clientKeyPath]);
  const require = (file: string): string => texts.get(file) ?? missing(file);
  return { ca: require(caCertPath), cert: require(clientCertPath), key: require(clientKeyPath) };
}

/** One PEM text of several; without others the first is left as it is, to the byte. */
export function withAuthorities(ca: string, others: readonly string[] = []): string {
  if (others.length === 0) return ca;
  return [ca, ...others].map((text) => `${text.trimEnd()}\n`).join("");
}

/** Go's sentence for it, which 0.16.2 printed. */
function missing(file: string): never {
  throw new MachineError("certificate-invalid", `open ${file}: no such file or directory`, {
    hint: "Put it back from a backup; or make new certificates, which restarts the machine's engine: docker-machine regenerate-certs --client-certs NAME",
  });
}
