/** The PKI of the store as use cases see it: made before the first machine, renewed on request. */
import * as path from "node:path";
import { ensureAuthority } from "../tls/authority.ts";
import { replaceServerCertificate } from "../provision/provision.ts";
import { waitForEngine } from "./host/engine-connection.ts";
import { requireTlsNames } from "../tls/alternative-names.ts";
import { isIssuedFor } from "../tls/check.ts";
import { expiryWarningDays } from "../tls/validity.ts";
import type { KeyType } from "../tls/key.ts";
import { MachineError, messageOf } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { readFileIfExists } from "../system/files.ts";
import { engineCertificateOf } from "./host/certificate-dates.ts";
import { isKeptCertsDir } from "../store/kept-certs.ts";
import { isProvisioned, type Host } from "./host/host.ts";
import { isOverSsh } from "./host/engine-transport.ts";
import { openHost } from "./host/open-host.ts";
import { workOnHost } from "./host/work-on-host.ts";
import { requireCreated } from "./interruption/interrupted.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import type { MachineContext } from "./machine-context.ts";
import { keepTrust, provisionRequest } from "./provision-machine.ts";
import { provisionContext } from "./host/provision-context.ts";

/** Makes the CA and the client certificate if they are missing or expired; many processes at once make one pair. */
export async function prepareAuthority(context: MachineContext, signal: AbortSignal, keyType: KeyType = "rsa"): Promise<void> {
  await ensure(context, signal, keyType, 0);
}

/** As {@link prepareAuthority}, and replaces what is warned of already. */
export async function renewAuthority(context: MachineContext, signal: AbortSignal): Promise<void> {
  await ensure(context, signal, "rsa", expiryWarningDays);
}

async function ensure(context: MachineContext, signal: AbortSignal, keyType: KeyType, renewDaysAhead: number): Promise<void> {
  await ensureAuthority({
    paths: context.certificates,
    userName: context.computer.userName,
    keyType,
    clock: context.clock,
    renewDaysAhead,
    report: context.reportFor(undefined),
    lock: async () =>
      await context.store.lockCertificates({ purpose: "making certificates", waitMs: context.timeouts.lockMs, signal }),
  });
}

/**
 * Gives one machine a new server certificate, from now on for further names too; its containers keep running where the
 * engine allows it. Throws `usage` for a name that cannot stand in one, before anything is contacted.
 */
export async function regenerateCertificates(
  context: MachineContext,
  name: string,
  signal: AbortSignal,
  furtherNames: readonly string[] = [],
): Promise<void> {
  requireTlsNames(furtherNames);
  await using lock = await lockMachine(context, name, "regenerate-certs", signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  leadToStore(context, host);
  if (isOverSsh(host)) {
    throw new MachineError("machine-state", `The engine of "${name}" is reached over SSH, and has no certificates`);
  }
  // Whoever moved the authority away wants another one.
  await prepareAuthority(context, lock.signal);
  await replaceCertificate(context, host, lock.signal, furtherNames);
}

/** Whether a machine goes on with an authority that another one took the place of in this store. */
export async function hasFormerAuthority({ store }: MachineContext, name: string): Promise<boolean> {
  const { AuthOptions: auth } = (await store.load(name)).hostOptions;
  return isKeptCertsDir(store.root, auth.CertDir);
}

/** Whether {@link takeStoreAuthority} would give its engine another certificate. */
export async function wantsStoreCertificate(context: MachineContext, name: string): Promise<boolean> {
  await using host = await openHost(context, name);
  return !isOverSsh(host) && isProvisioned(host);
}

/**
 * Gives a machine that {@link hasFormerAuthority} a certificate of the authority that the store has now; its containers keep
 * running where the engine allows it. Of an engine that others look after, or that has none, its record alone is told.
 */
export async function takeStoreAuthority(context: MachineContext, name: string, signal: AbortSignal): Promise<void> {
  await using lock = await lockMachine(context, name, "store push", signal);
  await using host = await openHost(context, name);
  await requireCreated(host);
  if (!leadToStore(context, host)) return;
  if (isOverSsh(host) || !isProvisioned(host)) return await host.save();
  await replaceCertificate(context, host, lock.signal);
}

/** False where the record leads there already, or to files that the user named. */
function leadToStore({ store }: MachineContext, { record }: Host): boolean {
  const { AuthOptions: auth } = record.hostOptions;
  if (!isKeptCertsDir(store.root, auth.CertDir)) return false;
  const [from, to] = [auth.CertDir, store.certsDir];
  const led = (file: string): string => (path.dirname(file) === from ? path.join(to, path.basename(file)) : file);
  for (const key of ["CaCertPath", "CaPrivateKeyPath", "ClientCertPath", "ClientKeyPath"] as const) auth[key] = led(auth[key]);
  auth.CertDir = to;
  return true;
}

/**
 * A docker client checks the engine's certificate for the address. Where a start has given the machine another, it gets a
 * certificate for that; without one it still answers to its name, so a failure is no reason to fail.
 */
export async function certifyAddress(context: MachineContext, host: Host, signal: AbortSignal): Promise<void> {
  const file = engineCertificateOf(host);
  const [address, pem] = [await host.driver.getIp(), await readFileIfExists(file)];
  if (address === "" || pem === undefined || isIssuedFor(pem.toString("utf8"), address, file)) return;
  logTo(host.report, "info", `The address of "${host.name}" has changed; its engine gets a certificate for ${address}...`);
  try {
    await replaceCertificate(context, host, signal);
  } catch (error) {
    signal.throwIfAborted();
    const again = `docker-machine regenerate-certs ${host.name}`;
    logTo(host.report, "warn", `The engine has no certificate for ${address}: ${messageOf(error)}. Try again with: ${again}`);
  }
}

async function replaceCertificate(
  context: MachineContext,
  host: Host,
  signal: AbortSignal,
  furtherNames: readonly string[] = [],
): Promise<void> {
  const work = { command: "regenerate-certs", step: "certificates" } as const;
  await workOnHost(context, host, work, signal, async (ssh) => {
    const { AuthOptions: auth } = host.record.hostOptions;
    if (furtherNames.length > 0) auth.ServerCertSANs = [...new Set([...(auth.ServerCertSANs ?? []), ...furtherNames])];
    const request = await provisionRequest(context, host, "new");
    await keepTrust(host, await replaceServerCertificate(request, provisionContext(context, host, ssh, signal)));
    await waitForEngine(context, host, signal);
  });
}
