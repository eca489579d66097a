/** The PKI of the store as use cases see it: made before the first machine, renewed on request. */
import { ensureAuthority } from "../tls/authority.ts";
import { replaceServerCertificate } from "../provision/provision.ts";
import { waitForEngine } from "./engine-connection.ts";
import { expiryWarningDays, isIssuedFor } from "../tls/check.ts";
import type { KeyType } from "../tls/key.ts";
import { messageOf } from "../errors/machine-error.ts";
import { logTo } from "../log/event.ts";
import { readFileIfExists } from "../system/files.ts";
import { engineCertificateOf } from "./certificate-dates.ts";
import type { Host } from "./host.ts";
import { openHost } from "./open-host.ts";
import { requireCreated } from "./interrupted.ts";
import { lockMachine } from "./lock.ts";
import type { MachinePorts } from "./ports.ts";
import { provisionContext, provisionRequest } from "./provision-machine.ts";

/** Makes the CA and the client certificate if they are missing or expired; many processes at once make one pair. */
export async function prepareAuthority(ports: MachinePorts, signal: AbortSignal, keyType: KeyType = "rsa"): Promise<void> {
  await ensure(ports, signal, keyType, 0);
}

/** As {@link prepareAuthority}, and replaces what is warned of already. */
export async function renewAuthority(ports: MachinePorts, signal: AbortSignal): Promise<void> {
  await ensure(ports, signal, "rsa", expiryWarningDays);
}

async function ensure(ports: MachinePorts, signal: AbortSignal, keyType: KeyType, renewDaysAhead: number): Promise<void> {
  await ensureAuthority({
    paths: ports.certificates,
    userName: ports.platform.userName,
    keyType,
    clock: ports.clock,
    renewDaysAhead,
    report: ports.reportFor(undefined),
    lock: async () =>
      await ports.store.lockCertificates({ purpose: "making certificates", waitMs: ports.timeouts.lockMs, signal }),
  });
}

/** Gives one machine a new server certificate; its containers keep running where the engine allows it. */
export async function regenerateCertificates(ports: MachinePorts, name: string, signal: AbortSignal): Promise<void> {
  await using _lock = await lockMachine(ports, name, "regenerate-certs", signal);
  await using host = await openHost(ports, name);
  await requireCreated(host);
  await replaceCertificate(ports, host, signal);
}

/**
 * A docker client checks the engine's certificate for the address. Where a start has given the machine another, it gets a
 * certificate for that; without one it still answers to its name, so a failure is no reason to fail.
 */
export async function certifyAddress(ports: MachinePorts, host: Host, signal: AbortSignal): Promise<void> {
  const file = engineCertificateOf(host);
  const [address, pem] = [await host.driver.getIp(), await readFileIfExists(file)];
  if (address === "" || pem === undefined || isIssuedFor(pem.toString("utf8"), address, file)) return;
  logTo(host.report, "info", `The address of "${host.name}" has changed; its engine gets a certificate for ${address}...`);
  try {
    await replaceCertificate(ports, host, signal);
  } catch (error) {
    signal.throwIfAborted();
    const again = `docker-machine regenerate-certs ${host.name}`;
    logTo(host.report, "warn", `The engine has no certificate for ${address}: ${messageOf(error)}. Try again with: ${again}`);
  }
}

async function replaceCertificate(ports: MachinePorts, host: Host, signal: AbortSignal): Promise<void> {
  const journal = await host.openJournal("regenerate-certs");
  await journal.step("certificates", async () => {
    const request = await provisionRequest(ports, host, "new");
    await using ssh = await host.openSsh();
    await replaceServerCertificate(request, provisionContext(ports, host, ssh, signal));
    await waitForEngine(ports, host, signal);
  });
  await host.save();
  await journal.close();
}
