/**
 * Provisioning as a use case: certificates here, one SSH connection, the provisioner's work, and the proof from this
 * side that the engine answers. Used by `create`, `provision`, `regenerate-certs` and `start` on a changed address.
 */
import type { KeyObject } from "node:crypto";
import * as path from "node:path";
import { defaultEnginePort } from "../engine/engine-address.ts";
import {
  createServerCertificate,
  loadServerCertificate,
  writeMachineAuthority,
  writeMachineCertificates,
  type ServerCertificateRequest,
} from "../tls/machine-certificates.ts";
import type { AuthorityPaths } from "../tls/authority-files.ts";
import { generateKey, type KeyType } from "../tls/key.ts";
import { readFileIfExists } from "../system/files.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import type { ProvisionContext, ProvisionOutcome } from "../provision/provision-context.ts";
import type { EngineRequest, EngineSource, ProvisionRequest, SwarmRequest } from "../provision/provision-request.ts";
import type { HostOptions } from "../store/host-record.ts";
import { MachineError } from "../errors/machine-error.ts";
import { formatPlan } from "../provision/plan/format-plan.ts";
import { planHost, provisionHost } from "../provision/provision.ts";
import { waitForEngine } from "./host/engine-connection.ts";
import type { Host } from "./host/host.ts";
import { takeOwnKey } from "./host/own-key.ts";
import { isOverSsh } from "./host/engine-transport.ts";
import { provisionContext } from "./host/provision-context.ts";
import { lifetimeOf } from "./lifetime/recorded-lifetime.ts";
import { sudoPasswordOf } from "./host/sudo-password.ts";
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
  const outcome = await provisionHost(request, { ...provisionContext(context, host, ssh, signal), ...first });
  await keepTrust(host, outcome);
  await takeOwnKey(context, host, ssh, signal);
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

/** A certificate for the machine's present address. */
export function serverCertificateRequest(context: MachineContext, host: Host, address: string): ServerCertificateRequest {
  const { AuthOptions: auth, SwarmOptions: swarm } = host.record.hostOptions;
  return {
    paths: authorityPathsOf(host),
    machineName: host.name,
    userName: context.computer.userName,
    addresses: [address],
    extraNames: auth.ServerCertSANs ?? [],
    isSwarmMaster: swarm.Master,
    keyType: keyTypeOf(host),
    clock: context.clock,
  };
}

/** Where the record says that the PKI of this machine is. */
export function authorityPathsOf(host: Host): AuthorityPaths {
  const auth = host.record.hostOptions.AuthOptions;
  return {
    certsDir: auth.CertDir,
    caCertPath: auth.CaCertPath,
    caKeyPath: auth.CaPrivateKeyPath,
    clientCertPath: auth.ClientCertPath,
    clientKeyPath: auth.ClientKeyPath,
  };
}

export function keyTypeOf(host: Host): KeyType {
  return host.record.extra.TlsKeyType === "ecdsa" ? "ecdsa" : "rsa";
}

/** What is wanted of the host, without certificates: enough for looking and undoing. */
export async function bareRequest(context: MachineContext, host: Host): Promise<ProvisionRequest> {
  const { record, driver, module } = host;
  requireOwner(host);
  return {
    machineName: host.name,
    driverName: record.driverName,
    adopted: module.capabilities.adopted,
    address: await driver.getIp(),
    loginKey: driver.ownKey?.state === "wanted" ? { user: await driver.getSshUsername() } : undefined,
    engine: engineRequest(
      record.hostOptions,
      record.extra,
      await host.engineEnvironment(),
      isOverSsh(host) ? undefined : (driver.enginePort ?? portOf(await driver.getUrl())),
    ),
    swarm: swarmRequest(record.hostOptions),
    swarmMode: record.extra.SwarmMember && { dataPathPort: record.extra.SwarmMember.dataPathPort ?? 4789 },
    lifetime: lifetimeOf(record.extra, context.timeouts),
    caCertificate: await textOf(record.hostOptions.AuthOptions.CaCertPath),
    formerCa: firstCertificateIn(await textOf(path.join(host.dir, "ca.pem"))),
    serverCertificate: "",
    serverKey: "",
    sudoPassword: async () => await sudoPasswordOf(context, host),
  };
}

/** Throws `driver-unsupported` for a machine of somebody else, before anything is begun that would have to be gone on with. */
export function requireOwner({ name, module }: Host): void {
  if (module.capabilities.guest !== true) return;
  throw new MachineError("driver-unsupported", `"${name}" is shared with you: its engine is set up by its owner`, {
    hint: `What you may do: docker-machine with ${name} -- docker ps`,
  });
}

/** "" where there is no such file. */
async function textOf(file: string): Promise<string> {
  return file === "" ? "" : ((await readFileIfExists(file))?.toString("utf8") ?? "");
}

/** The machine's copy begins with our own CA; those of others may follow. */
function firstCertificateIn(pem: string): string {
  return /^[\s\S]*?-----END CERTIFICATE-----/u.exec(pem)?.[0] ?? "";
}

function engineRequest(
  options: HostOptions,
  extra: Host["record"]["extra"],
  env: readonly string[],
  port: number | undefined,
): EngineRequest {
  const engine = options.EngineOptions;
  return {
    source: (extra.EngineSource ?? "auto") as EngineSource,
    version: extra.EngineVersion,
    packageMirror: extra.EnginePackageMirror,
    packageKeys: extra.EnginePackageKeys,
    installUrl: engine.InstallURL,
    storageDriver: engine.StorageDriver,
    labels: engine.Labels ?? [],
    env,
    insecureRegistries: engine.InsecureRegistry ?? [],
    registryMirrors: engine.RegistryMirror ?? [],
    options: engine.ArbitraryFlags ?? [],
    port,
    firewall: extra.EngineFirewall === "check" ? "check" : "open",
    allowRemoval: extra.EngineAllowRemoval === true,
    shareCa: extra.EngineShareCa === true,
  };
}

function swarmRequest(options: HostOptions): SwarmRequest | undefined {
  const swarm = options.SwarmOptions;
  if (!swarm.IsSwarm) return undefined;
  return {
    master: swarm.Master,
    agent: swarm.Agent,
    discovery: swarm.Discovery,
    image: swarm.Image,
    strategy: swarm.Strategy,
    host: swarm.Host,
    address: swarm.Address,
    experimental: swarm.IsExperimental,
    options: swarm.ArbitraryFlags ?? [],
    joinOptions: swarm.ArbitraryJoinFlags ?? [],
  };
}

function portOf(url: string): number {
  return Number(/:(\d+)$/u.exec(url)?.[1] ?? defaultEnginePort);
}
