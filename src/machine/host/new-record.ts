/** The record of a machine that is about to be created, from the create flags, as 0.16.2 writes it. */
import * as path from "node:path";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { parseFingerprint } from "../../ssh/public-key.ts";
import type { EngineOptions, HostExtra, HostRecord, SwarmOptions } from "../../store/host-record.ts";
import { requireTlsNames } from "../../tls/alternative-names.ts";
import { parseEngineVersion } from "../rollout/engine-version.ts";
import { parseDeadline, parseIdle } from "../lifetime/deadline.ts";
import type { MachineContext } from "../machine-context.ts";

/** @param extra what it has besides what the flags say */
export function newRecord(
  context: MachineContext,
  name: string,
  driverName: string,
  options: DriverOptions,
  extra: HostExtra = {},
): HostRecord {
  const dir = context.store.machineDir(name);
  requireTlsNames(options.strings("tls-san"));
  requireTransport(options);
  const { caCertPath, caKeyPath, clientCertPath, clientKeyPath } = context.certificates;
  return {
    name,
    driverName,
    driverConfigText: "{}",
    hostOptions: {
      Driver: "",
      Memory: 0,
      Disk: 0,
      EngineOptions: engineOptions(options),
      SwarmOptions: swarmOptions(options),
      AuthOptions: {
        CertDir: context.store.certsDir,
        CaCertPath: caCertPath,
        CaPrivateKeyPath: caKeyPath,
        CaCertRemotePath: "",
        ServerCertPath: path.join(dir, "server.pem"),
        ServerKeyPath: path.join(dir, "server-key.pem"),
        ClientKeyPath: clientKeyPath,
        ServerCertRemotePath: "",
        ServerKeyRemotePath: "",
        ClientCertPath: clientCertPath,
        ServerCertSANs: [...options.strings("tls-san")],
        StorePath: dir,
      },
    },
    extra: { ...extraOptions(options), ...lifetimeOptions(options, context.clock.now()), ...extra },
  };
}

/** Classic swarm and shared engines are matters of certificates. */
function requireTransport(options: DriverOptions): void {
  if (options.string("engine-transport") !== "ssh") return;
  const other = ["swarm", "swarm-master", "engine-share-ca"].find((flag) => options.bool(flag));
  if (other === undefined) return;
  throw new MachineError("usage", `--${other} needs an engine with certificates, and --engine-transport ssh makes one without`);
}

function engineOptions(options: DriverOptions): EngineOptions {
  return {
    ArbitraryFlags: [...options.strings("engine-opt")],
    Dns: null,
    GraphDir: "",
    Env: [...options.strings("engine-env")],
    Ipv6: false,
    InsecureRegistry: [...options.strings("engine-insecure-registry")],
    Labels: [...options.strings("engine-label")],
    LogLevel: "",
    StorageDriver: options.string("engine-storage-driver"),
    SelinuxEnabled: false,
    TlsVerify: true,
    RegistryMirror: [...options.strings("engine-registry-mirror")],
    InstallURL: options.string("engine-install-url"),
  };
}

function swarmOptions(options: DriverOptions): SwarmOptions {
  const discovery = options.string("swarm-discovery");
  if (discovery !== "" && !/^[^:]*:\/\/.*/u.test(discovery)) {
    throw new MachineError("usage", `Error parsing swarm discovery: Swarm Discovery URL was in the wrong format: ${discovery}`);
  }
  return {
    IsSwarm: options.bool("swarm") || options.bool("swarm-master"),
    Address: options.string("swarm-addr"),
    Discovery: discovery,
    Agent: options.bool("swarm"),
    Master: options.bool("swarm-master"),
    Host: options.string("swarm-host"),
    Image: options.string("swarm-image"),
    Strategy: options.string("swarm-strategy"),
    Heartbeat: 0,
    Overcommit: 0,
    ArbitraryFlags: [...options.strings("swarm-opt")],
    ArbitraryJoinFlags: [...options.strings("swarm-join-opt")],
    Env: null,
    IsExperimental: options.bool("swarm-experimental"),
  };
}

/** Only what differs from the default is kept, so that a plain machine's record is 0.16.2's to the byte. */
function extraOptions(options: DriverOptions): HostExtra {
  const source = options.string("engine-source");
  const firewall = options.string("engine-firewall");
  const keyType = options.string("tls-key-type");
  const extra: HostExtra = {};
  // 0.16.2's install URL, given by flag or environment, chooses the script, unless a source is named.
  if (source !== "" && source !== "auto") extra.EngineSource = source;
  else if (options.isSet("engine-install-url")) extra.EngineSource = "script";
  if (options.string("engine-version") !== "")
    extra.EngineVersion = parseEngineVersion(options.string("engine-version"), "--engine-version");
  if (options.strings("engine-package-key").length > 0) extra.EnginePackageKeys = [...options.strings("engine-package-key")];
  if (options.string("engine-package-mirror") !== "") extra.EnginePackageMirror = options.string("engine-package-mirror");
  if (firewall !== "" && firewall !== "open") extra.EngineFirewall = firewall;
  if (options.bool("engine-allow-removal")) extra.EngineAllowRemoval = true;
  if (options.string("engine-transport") === "ssh") extra.EngineTransport = "ssh";
  if (options.bool("engine-share-ca")) extra.EngineShareCa = true;
  if (keyType !== "" && keyType !== "rsa") extra.TlsKeyType = keyType;
  if (options.string("ssh-host-key") !== "") extra.SshHostKey = parseFingerprint(options.string("ssh-host-key"));
  return extra;
}

/** The deadline is one from now on. Throws `usage`. */
function lifetimeOptions(options: DriverOptions, now: Date): HostExtra {
  const [ttl, idle] = [options.string("ttl"), options.string("idle")];
  const extra: HostExtra = {};
  if (ttl !== "") extra.Expires = parseDeadline(ttl, now).toISOString();
  if (idle !== "") extra.IdleSeconds = parseIdle(idle);
  if (options.bool("ttl-power-off") && ttl + idle !== "") extra.TtlPowerOff = true;
  return extra;
}
