/**
 * The store's certificate authority and the client certificate all its machines share: made when they are missing or
 * have expired, as 0.16.2 does at every create, but by one process at a time, and all of them or none.
 */
import type { KeyObject } from "node:crypto";
import { logTo, type Report } from "../log/event.ts";
import type { Clock } from "../system/clock.ts";
import { authorityLogOf, readAuthority, type AuthorityPaths } from "./authority-files.ts";
import { futureCertificates, planAuthority, type AuthorityPlan } from "./authority-plan.ts";
import { issueCertificate, parseCertificate } from "./certificate.ts";
import type { Issuer } from "./certificate-encoder.ts";
import { finishGroup, writeGroup, type GroupedFile } from "./file-group.ts";
import { formatKey, generateKey, type KeyType } from "./key.ts";

export interface AuthorityRequest {
  readonly paths: AuthorityPaths;
  /** Who the certificates are made for: the name of the user who runs the program. */
  readonly userName: string;
  readonly keyType: KeyType;
  readonly clock: Clock;
  /** Replaces what expires within so many days too; 0 by default. */
  readonly renewDaysAhead?: number | undefined;
  readonly report: Report;
  /** Takes the lock of the store's certificates; called only when there is something to make or to finish. */
  readonly lock: () => Promise<AsyncDisposable>;
}

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Sees to it that there are a CA and a client certificate of that CA. Reports `creating-ca` and
 * `creating-client-certificate` before it makes one. Throws `certificate-invalid` for files that it may not replace, and
 * what `lock` throws.
 */
export async function ensureAuthority(request: AuthorityRequest): Promise<void> {
  const { paths, clock, renewDaysAhead = 0 } = request;
  const until = new Date(clock.now().getTime() + renewDaysAhead * dayMs);
  const seen = await readAuthority(paths);
  for (const sentence of futureCertificates(seen, paths, clock.now())) logTo(request.report, "warn", sentence);
  if (!seen.isPending && planAuthority(seen, paths, until).makes === "nothing") return;
  await using _lock = await request.lock();
  await finishGroup(authorityLogOf(paths.certsDir));
  // Another process may have made them while this one waited for the lock.
  const plan = planAuthority(await readAuthority(paths), paths, until);
  if (plan.makes !== "nothing") await writeGroup(authorityLogOf(paths.certsDir), await makeFiles(request, plan));
}

async function makeFiles(request: AuthorityRequest, plan: Exclude<AuthorityPlan, { makes: "nothing" }>): Promise<GroupedFile[]> {
  const { paths, report, keyType } = request;
  if (plan.because !== undefined) logTo(report, "info", plan.because);
  if (plan.makes === "all" && plan.because !== undefined) {
    logTo(report, "warn", "Each machine of this store needs a certificate of the new CA: docker-machine regenerate-certs NAME");
  }
  if (plan.makes === "client") return await makeClient(request, plan.issuer, await generateKey(keyType));
  report({ type: "creating-ca", path: paths.caCertPath });
  const [caKey, clientKey] = await Promise.all([generateKey(keyType), generateKey(keyType)]);
  const now = request.clock.now();
  const caCert = await issueCertificate({ role: { kind: "authority" }, organization: request.userName, key: caKey, now });
  const issuer = { certificate: parseCertificate(caCert, paths.caCertPath), key: caKey };
  return [...pair(paths.caCertPath, caCert, paths.caKeyPath, caKey), ...(await makeClient(request, issuer, clientKey))];
}

async function makeClient(request: AuthorityRequest, issuer: Issuer, key: KeyObject): Promise<GroupedFile[]> {
  const { paths, userName, clock, report } = request;
  report({ type: "creating-client-certificate", path: paths.clientCertPath });
  // 0.16.2 writes the word in angle brackets.
  const organization = `${userName}.<bootstrap>`;
  const cert = await issueCertificate({ role: { kind: "client" }, organization, key, issuer, now: clock.now() });
  return pair(paths.clientCertPath, cert, paths.clientKeyPath, key);
}

/** The key first: whoever finds a certificate, finds its key too. */
function pair(certPath: string, cert: string, keyPath: string, key: KeyObject): GroupedFile[] {
  return [
    { path: keyPath, text: formatKey(key), mode: 0o600 },
    { path: certPath, text: cert, mode: 0o644 },
  ];
}
