/** What the use cases are given by a composition root: the outside world and the user's settings. */
import type { DriverModule } from "../driver-kit/driver.ts";
import type { MachineState } from "../driver-kit/state.ts";
import type { Report } from "../log/event.ts";
import type { Redactor } from "../log/redact.ts";
import type { SshExecutor, SshTarget } from "../ssh/executor.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../system/clock.ts";
import type { AuthorityPaths } from "../tls/authority-files.ts";
import type { HostPlatform } from "../system/host-platform.ts";
import type { ProcessRunner } from "../system/process.ts";

/** Bounds of every wait, each with a name; `docs/timeouts.md` lists them. All in milliseconds. */
export interface Timeouts {
  /** For a new instance to report that it runs. */
  readonly runningMs: number;
  /** For an SSH server to answer after the instance runs. */
  readonly sshMs: number;
  /** For one SSH connection attempt. */
  readonly sshConnectMs: number;
  /** For the engine to answer over TLS after it was configured. */
  readonly engineMs: number;
  /** For one TLS handshake or engine request. */
  readonly engineRequestMs: number;
  /** For another docker-machine process to give up a lock. */
  readonly lockMs: number;
  /** For a provider to tell a state. */
  readonly stateMs: number;
}

export const defaultTimeouts: Timeouts = {
  runningMs: 180_000,
  sshMs: 180_000,
  sshConnectMs: 10_000,
  engineMs: 60_000,
  engineRequestMs: 20_000,
  lockMs: 600_000,
  stateMs: 10_000,
};

export interface MachinePorts {
  readonly store: Store;
  readonly platform: HostPlatform;
  readonly processes: ProcessRunner;
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** The PKI that new machines are signed with: the store's own, or the user's by `--tls-*`. */
  readonly certificates: AuthorityPaths;
  readonly timeouts: Timeouts;
  /** Finds a built-in driver or a plugin. Throws `driver-not-found`. */
  loadDriver(name: string): Promise<DriverModule>;
  /** Opens SSH by the back end the user chose. */
  openSsh(target: SshTarget, report: Report): Promise<SshExecutor>;
  /** Where events of one machine go; undefined = of none in particular. */
  reportFor(machineName: string | undefined): Report;
  /** Asks the user for a machine's sudo password; undefined when nobody can be asked. */
  askSudoPassword(machineName: string): Promise<string | undefined>;
}

/** What one machine's part in a command on many came to. */
export interface Outcome<T> {
  readonly name: string;
  readonly value?: T;
  readonly error?: unknown;
}

/** A state as `ls` and `status` show it, with the driver's complaint if it had one. */
export interface StateReading {
  readonly state: MachineState;
  readonly error?: string | undefined;
}
