/**
 * The contract of provisioning: facts, then a plan, then few idempotent scripts over one SSH connection. Knows nothing
 * of drivers, the store or the command line.
 */
import type { Report } from "../log/event.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import type { Clock } from "../system/clock.ts";

export type EngineSource = "auto" | "docker" | "distro" | "script" | "static";

/** What the user asked of the engine: 0.16.2's `--engine-*` flags and ours. */
export interface EngineRequest {
  readonly source: EngineSource;
  /** Undefined = the newest the source offers. */
  readonly version?: string | undefined;
  /** Mirror of Docker's package repository, in place of its own. */
  readonly packageMirror?: string | undefined;
  /** For `script`. */
  readonly installUrl: string;
  readonly storageDriver: string;
  readonly labels: readonly string[];
  readonly env: readonly string[];
  readonly insecureRegistries: readonly string[];
  readonly registryMirrors: readonly string[];
  /** `flag=value` each, becomes `--flag=value`. */
  readonly options: readonly string[];
  /** TCP port of the engine. */
  readonly port: number;
  readonly firewall: "open" | "check";
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

export interface ProvisionRequest {
  readonly machineName: string;
  readonly driverName: string;
  /** The box belongs to someone: its hostname is left alone. */
  readonly adopted: boolean;
  /** Address the engine is reached at, for swarm and messages. */
  readonly address: string;
  readonly engine: EngineRequest;
  readonly swarm?: SwarmRequest | undefined;
  /** PEM texts. The key is sent over standard input only and becomes 0600. */
  readonly caCertificate: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
  /** Gives the sudo password when the host asks for one; undefined = none can be had. Called at most once. */
  readonly sudoPassword?: (() => Promise<string | undefined>) | undefined;
}

export interface ProvisionContext {
  readonly ssh: SshExecutor;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
}
