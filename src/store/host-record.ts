/** The parsed `config.json` of a machine, ConfigVersion 3, with 0.16.2's field names. */

export const currentConfigVersion = 3;

export interface EngineOptions {
  ArbitraryFlags: string[] | null;
  Dns: string[] | null;
  GraphDir: string;
  Env: string[] | null;
  Ipv6: boolean;
  InsecureRegistry: string[] | null;
  Labels: string[] | null;
  LogLevel: string;
  StorageDriver: string;
  SelinuxEnabled: boolean;
  TlsVerify: boolean;
  RegistryMirror: string[] | null;
  InstallURL: string;
}

export interface SwarmOptions {
  IsSwarm: boolean;
  Address: string;
  Discovery: string;
  Agent: boolean;
  Master: boolean;
  Host: string;
  Image: string;
  Strategy: string;
  Heartbeat: number;
  Overcommit: number;
  ArbitraryFlags: string[] | null;
  ArbitraryJoinFlags: string[] | null;
  Env: string[] | null;
  IsExperimental: boolean;
}

export interface AuthOptions {
  CertDir: string;
  CaCertPath: string;
  CaPrivateKeyPath: string;
  CaCertRemotePath: string;
  ServerCertPath: string;
  ServerKeyPath: string;
  ClientKeyPath: string;
  ServerCertRemotePath: string;
  ServerKeyRemotePath: string;
  ClientCertPath: string;
  ServerCertSANs: string[] | null;
  StorePath: string;
}

export interface HostOptions {
  Driver: string;
  Memory: number;
  Disk: number;
  EngineOptions: EngineOptions;
  SwarmOptions: SwarmOptions;
  AuthOptions: AuthOptions;
}

/**
 * What the core works with. `driverConfigText` is the `Driver` object as JSON text: built-in drivers parse it, plugins
 * get its bytes. Keys of config.json that are not named here are kept by the codec when the record is saved.
 */
export interface HostRecord {
  name: string;
  driverName: string;
  driverConfigText: string;
  hostOptions: HostOptions;
  /**
   * What 0.16.2 does not know, kept in config.json under the key `Extra` (which it ignores and drops): how the engine
   * was chosen, so that `provision` and `upgrade` repeat it.
   */
  extra: HostExtra;
}

/** What of a fleet's file a machine was made from: what it is compared with when the file changes. */
export interface FleetMark {
  Name: string;
  /** Create flags by name, as the file had them when they were last applied; secrets are references. */
  Flags: Record<string, string | number | boolean | string[]>;
  /** Keys of the labels that the file gave. */
  Labels: string[];
}

/** A client certificate that somebody else was given, as the record has it. */
export interface GivenCertificate {
  readonly Person: string;
  /** ISO 8601. */
  readonly Since: string;
  readonly Until: string;
  /** SHA-256, hexadecimal. */
  readonly Fingerprint: string;
}

export interface HostExtra {
  EngineSource?: string;
  EngineVersion?: string;
  EnginePackageMirror?: string;
  /** Fingerprints of the keys that may sign the mirror; Docker's own key when absent. */
  EnginePackageKeys?: string[];
  EngineFirewall?: string;
  EngineAllowRemoval?: boolean;
  EngineShareCa?: boolean;
  /** CAs of owners who share the engine and whose certificate it proves itself with, for this machine alone. */
  SharedCa?: string[];
  /** `ssh` where the engine is reached over SSH alone. */
  EngineTransport?: string;
  TlsKeyType?: string;
  /** `SHA256:…` fingerprint the user expects on first contact. */
  SshHostKey?: string;
  /** Names this create at the provider; see DriverContext.createId. */
  CreateId?: string;
  /** What `docker-machine label` gave the machine. */
  Labels?: Record<string, string>;
  /** When it is powered off, ISO 8601 in UTC. */
  Expires?: string | undefined;
  /** After how long without use it is powered off. */
  IdleSeconds?: number | undefined;
  /** It is somebody's own, and may be powered off all the same. */
  TtlPowerOff?: boolean;
  /** The cluster of swarm mode that it was made a member of. */
  SwarmMember?: {
    readonly cluster: string;
    readonly role: "manager" | "worker";
    /** UDP port of its overlay networks; absent = the engine's own choice. */
    readonly dataPathPort?: number;
  };
  /** Its host does not know `Expires` and `IdleSeconds` yet. */
  LifetimePending?: boolean;
  /** What `share --tls` gave. */
  GuestCertificates?: GivenCertificate[];
  /** No command removes or cuts it off. */
  Protected?: boolean;
  /** Which fleet's file made the machine, and what that said; see `machine/fleet-mark.ts`. */
  Fleet?: FleetMark;
  /** What `create` was told for the driver, where that reports another name of its own. */
  DriverGivenAs?: string;
  [key: string]: unknown;
}

/** As `create` was told, and is told again. */
export function driverNameOf({ driverName, extra }: Pick<HostRecord, "driverName" | "extra">): string {
  return extra.DriverGivenAs ?? driverName;
}
