/** The PKI of the store as use cases see it: made before the first machine, renewed on request. */
import { ensureAuthority } from "../tls/authority.ts";
import { replaceServerCertificate } from "../provision/provision.ts";
import { waitForEngine } from "./engine-connection.ts";
import type { KeyType } from "../tls/key.ts";
import { openHost } from "./host.ts";
import { requireCreated } from "./interrupted.ts";
import { lockMachine } from "./lock.ts";
import type { MachinePorts } from "./ports.ts";
import { provisionContext, provisionRequest } from "./provision-machine.ts";

/** Makes the CA and the client certificate if they are missing or expired; many processes at once make one pair. */
export async function prepareAuthority(ports: MachinePorts, signal: AbortSignal, keyType: KeyType = "rsa"): Promise<void> {
  await ensureAuthority({
    paths: ports.certificates,
    userName: ports.platform.userName,
    keyType,
    clock: ports.clock,
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
  const journal = await host.openJournal("regenerate-certs");
  await journal.step("certificates", async () => {
    const request = await provisionRequest(ports, host);
    await using ssh = await host.openSsh();
    await replaceServerCertificate(request, provisionContext(ports, host, ssh, signal));
    await waitForEngine(ports, host, signal);
  });
  await host.save();
  await journal.close();
}
