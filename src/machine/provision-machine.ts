/**
 * Provisioning as a use case: certificates here, one SSH connection, the provisioner's work, and the proof from this
 * side that the engine answers. Used by `create`, `provision`, `regenerate-certs` and `start` on a changed address.
 */
import type { KeyObject } from "node:crypto";
import {
  createServerCertificate,
  loadServerCertificate,
  writeMachineAuthority,
  writeMachineCertificates,
} from "../tls/machine-certificates.ts";
import { generateKey } from "../tls/key.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import type { ProvisionContext, ProvisionOutcome } from "../provision/provision-context.ts";
import type { ProvisionRequest } from "../provision/provision-request.ts";
import { formatPlan } from "../provision/plan/format-plan.ts";
import { planHost, provisionHost } from "../provision/provision.ts";
import { waitForEngine } from "./host/engine-connection.ts";
import type { Host } from "./host/host.ts";
import { takeOwnKey } from "./host/own-key.ts";
import { isOverSsh } from "./host/engine-transport.ts";
import { provisionContext } from "./host/provision-context.ts";
import { authorityPathsOf, bareRequest, keyTypeOf, serverCertificateRequest } from "./host/provision-request.ts";
import type { MachineContext } from "./machine-context.ts";

/** Provisions over an open connection and waits until the engine answers. The connection stays open. */
export async function provisionMachine(
  context: MachineContext,
  host: Host,
  ssh: SshExecutor,
  signal: AbortSignal,
  {
    certificate,
    serverKey,
    ...first
  }: Pick<ProvisionContext, "renewHostKeys" | "firstBootMustSucceed"> & {
    readonly certificate?: "kept" | "new";
    readonly serverKey?: Promise<KeyObject> | undefined;
  } = {},
): Promise<ProvisionOutcome> {
  const request = await provisionRequest(context, host, certificate, serverKey);
  // Whoever goes on with what is cut off from here on needs nobody else's key.
  const beforeChanges = async (): Promise<void> => await takeOwnKey(context, host, ssh, signal);
  const outcome = await provisionHost(request, { ...provisionContext(context, host, ssh, signal), beforeChanges, ...first });
  await keepTrust(host, outcome);
  delete host.record.extra.LifetimePending;
  host.report({ type: "checking-engine" });
  await waitForEngine(context, host, signal, ssh);
  host.report({ type: "engine-ready" });
  return outcome;
}

/**
 * On an engine that is shared with its first owner, that owner's certificate is what it proves itself with: their CA is
 * kept beside ours, for this machine alone.
 */
export async function keepTrust(host: Host, { plan }: Pick<ProvisionOutcome, "plan">): Promise<void> {
  const { extra } = host.record;
  const { trusted } = plan.sharing;
  if (trusted.length === 0 && extra.SharedCa === undefined) return;
  if (trusted.length > 0) extra.SharedCa = [...trusted];
  else delete extra.SharedCa;
  await writeMachineAuthority(host.dir, authorityPathsOf(host), trusted);
}

/** What provisioning would do, as text; changes nothing. */
export async function planMachine(context: MachineContext, host: Host, ssh: SshExecutor, signal: AbortSignal): Promise<string> {
  const request = await bareRequest(context, host);
  return formatPlan(await planHost(request, provisionContext(context, host, ssh, signal)));
}

/** Logs in, and has done there what needs to know what is wanted of the host. Throws what connecting and the work throw. */
export async function loggedIn<T>(
  context: MachineContext,
  host: Host,
  signal: AbortSignal,
  work: (request: ProvisionRequest, at: ProvisionContext) => Promise<T>,
): Promise<T> {
  await using ssh = await host.openSsh();
  await ssh.connect();
  return await work(await bareRequest(context, host), provisionContext(context, host, ssh, signal));
}

/**
 * Puts the machine's copies of the PKI into its folder, and states what is wanted. The server certificate is made anew
 * where that is asked for, or where the one that is there does not serve: a new one means a restart of the engine.
 * @param serverKey what {@link serverKeyAhead} makes, for a new one
 */
export async function provisionRequest(
  context: MachineContext,
  host: Host,
  certificate: "kept" | "new" = "kept",
  serverKey?: Promise<KeyObject>,
): Promise<ProvisionRequest> {
  const bare = await bareRequest(context, host);
  if (isOverSsh(host)) return bare;
  host.report({ type: "preparing-certificates" });
  const wanted = serverCertificateRequest(context, host, bare.address);
  const kept = certificate === "kept" ? await loadServerCertificate(host.dir, wanted) : undefined;
  const server = kept ?? (await createServerCertificate({ ...wanted, key: serverKey }));
  context.redactor.add(server.key);
  await writeMachineCertificates(host.dir, wanted.paths, server, host.record.extra.SharedCa);
  return { ...bare, caCertificate: server.ca, serverCertificate: server.certificate, serverKey: server.key };
}

/** Begins to make the key of the engine's certificate; undefined for one that has none. It fails where it is waited for. */
export function serverKeyAhead(host: Host): Promise<KeyObject> | undefined {
  if (isOverSsh(host)) return undefined;
  const key = generateKey(keyTypeOf(host));
  key.catch(() => {});
  return key;
}
