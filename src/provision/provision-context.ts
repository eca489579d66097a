/**
 * The contract of provisioning: facts, then a plan, then few idempotent scripts over one SSH connection. Knows nothing
 * of drivers, the store or the command line.
 */
import type { Report } from "../log/event.ts";
import type { SshExecutor } from "../ssh/executor.ts";
import type { Clock } from "../system/clock.ts";
import type { HostFacts } from "./facts/facts.ts";
import type { Plan } from "./plan/plan.ts";

/** How long the parts of provisioning may take; each is one SSH command. */
export interface ProvisionBounds {
  /** Looking at the host. */
  readonly probeMs: number;
  /** One question to a program of the host: an engine, systemd or a firewall that hangs holds nothing up longer. */
  readonly queryMs: number;
  /** Waiting for cloud-init to be through with a machine's first boot. */
  readonly firstBootMs: number;
  /** Asking the package manager what an installation would change; what takes longer is not waited for. */
  readonly forecastMs: number;
  /** Downloading and installing packages, waiting for the package manager's lock included. */
  readonly installMs: number;
  /** Writing the configuration and restarting the engine. */
  readonly configureMs: number;
  /** Waiting for another process to give the package manager's lock back. */
  readonly packageLockMs: number;
  /** From the engine's start until it listens. */
  readonly engineStartMs: number;
}

export const defaultBounds: ProvisionBounds = {
  probeMs: 60_000,
  queryMs: 20_000,
  firstBootMs: 900_000,
  forecastMs: 120_000,
  installMs: 1_800_000,
  configureMs: 300_000,
  packageLockMs: 300_000,
  engineStartMs: 60_000,
};

/** Taken through when a machine gets host keys of its own in the place of ones that others could read. */
export interface HostKeyRenewal {
  /** The new keys are made and not in use yet: `TYPE BASE64 COMMENT` lines, to be believed from now on beside the old. */
  made(publicKeys: readonly string[]): Promise<void>;
  /** They alone are in use. */
  inUse(): Promise<void>;
}

export interface ProvisionContext {
  readonly ssh: SshExecutor;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
  /** Changes to {@link defaultBounds}. */
  readonly bounds?: Partial<ProvisionBounds> | undefined;
  /** Present where the host's keys are to be replaced first. */
  readonly renewHostKeys?: HostKeyRenewal | undefined;
  /** Called when the plan stands and is not refused, before anything is changed on the host. */
  readonly beforeChanges?: (() => Promise<void>) | undefined;
  /** Whether a failure of the host's own first-boot configuration ends provisioning; it is a warning otherwise. */
  readonly firstBootMustSucceed?: boolean | undefined;
}

export interface ProvisionOutcome {
  /** As the host was found; the engine's part as it was before it was configured. */
  readonly facts: HostFacts;
  /** What was done. */
  readonly plan: Plan;
  readonly engineVersion: string;
  /** Files that were written or removed on the host. */
  readonly changedFiles: readonly string[];
  /** Packages that this run installed, with their dependencies. */
  readonly installedPackages: readonly string[];
  /** Packages that went because of that, `NAME VERSION`. */
  readonly removedPackages: readonly string[];
}
