/** What is asked of provisioning: the engine that is wanted, its certificates, and whose box it is. */

export const engineSources = ["auto", "docker", "distro", "script", "static"] as const;

/**
 * Where an engine comes from that is not there yet: Docker's own package repository, the distribution's package, an
 * install script, Docker's static binaries; `auto` = the first of these that the system knows and the host can reach.
 */
export type EngineSource = (typeof engineSources)[number];

/** What the user asked of the engine: 0.16.2's `--engine-*` flags and ours. */
export interface EngineRequest {
  readonly source: EngineSource;
  /** Undefined = the newest the source offers. An engine that is there already is kept whatever this says. */
  readonly version?: string | undefined;
  /** An upgrade may be to an older version. */
  readonly allowDowngrade?: boolean | undefined;
  /** Mirror of Docker's package repository, in place of `https://download.docker.com`. */
  readonly packageMirror?: string | undefined;
  /**
   * Fingerprints (40 hexadecimal digits) of the keys that may sign the package repository; Docker's own when absent.
   * For mirrors that sign anew.
   */
  readonly packageKeys?: readonly string[] | undefined;
  /** For `script`. */
  readonly installUrl: string;
  /** "" = 0.16.2's overlay2 on a fresh engine, and what is in use on one that is there. */
  readonly storageDriver: string;
  readonly labels: readonly string[];
  /** `NAME=value` each, for the engine; `*_proxy` ones also apply to what the installation downloads. */
  readonly env: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  /** `flag=value` each, becomes `--flag=value`. */
  readonly options: readonly string[];
  /** TCP port of the engine; undefined = it opens none, has no certificates, and is reached by its own socket over SSH. */
  readonly port: number | undefined;
  readonly firewall: "open" | "check";
  /** On an adopted host, packages that are in the engine's way may be removed. */
  readonly allowRemoval: boolean;
  /** On a host with another owner's CA, the engine goes on to accept that owner's clients. */
  readonly shareCa: boolean;
}

export interface SwarmRequest {
  readonly master: boolean;
  readonly agent: boolean;
  readonly discovery: string;
  readonly image: string;
  readonly strategy: string;
  readonly host: string;
  readonly address: string;
  readonly experimental: boolean;
  readonly options: readonly string[];
  readonly joinOptions: readonly string[];
}

export interface SwarmModeRequest {
  /** UDP port of overlay networks. */
  readonly dataPathPort: number;
}

/** When a machine powers itself off; one of the two at least. */
export interface Lifetime {
  readonly deadline?: Date | undefined;
  /** Powered off after this long without a running container and without a connection. */
  readonly idleSeconds?: number | undefined;
  /** A machine that boots behind its deadline has this long; half of it before the end, it warns. */
  readonly graceSeconds: number;
}

export interface ProvisionRequest {
  readonly machineName: string;
  readonly driverName: string;
  /**
   * The box belongs to someone: its hostname and clock are left alone, and what is changed there is recorded on it so
   * that {@link restoreHost} can undo it.
   */
  readonly adopted: boolean;
  /** Address the engine is reached at, for swarm and messages. */
  readonly address: string;
  /** The machine is given a key pair of its own, for this user: done by whoever holds the pair. */
  readonly loginKey?: { readonly user: string } | undefined;
  readonly engine: EngineRequest;
  readonly swarm?: SwarmRequest | undefined;
  /** The machine is, or is to be, a member of a cluster of swarm mode: its ports are opened, and live-restore goes off. */
  readonly swarmMode?: SwarmModeRequest | undefined;
  /** Undefined = it lives until it is removed. */
  readonly lifetime?: Lifetime | undefined;
  /** PEM texts. The key is sent over standard input only and becomes 0600. */
  readonly caCertificate: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  /** The CA that this store had when it last provisioned the machine, where that was another. */
  readonly formerCa?: string | undefined;
  /** Gives the sudo password when the host asks for one; undefined = none can be had. Called at most once. */
  readonly sudoPassword?: (() => Promise<string | undefined>) | undefined;
}
