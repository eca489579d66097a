/** What is wanted of a machine's host, as its record and its driver say. */
import * as path from "node:path";
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { EngineRequest, EngineSource, ProvisionRequest, SwarmRequest } from "../../provision/provision-request.ts";
import type { HostOptions } from "../../store/host-record.ts";
import { readFileIfExists } from "../../system/files.ts";
import type { AuthorityPaths } from "../../tls/authority-files.ts";
import type { KeyType } from "../../tls/key.ts";
import type { ServerCertificateRequest } from "../../tls/machine-certificates.ts";
import { lifetimeOf } from "../lifetime/recorded-lifetime.ts";
import type { MachineContext } from "../machine-context.ts";
import { isOverSsh } from "./engine-transport.ts";
import type { Host } from "./host.ts";
import { sudoPasswordOf } from "./sudo-password.ts";

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
