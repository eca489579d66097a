/** What the use cases are given by a composition root: the outside world and the user's settings. */
import type { DriverModule } from "../driver-kit/driver.ts";
import type { HttpTransport } from "../driver-kit/http-transport.ts";
import type { Report } from "../log/event.ts";
import type { Redactor } from "../log/redact.ts";
import type { SshExecutor, SshTarget } from "../ssh/executor.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../system/clock.ts";
import type { AuthorityPaths, ClientCredentials } from "../tls/authority-files.ts";
import type { Computer } from "../system/computer.ts";
import type { ProcessRunner } from "../system/process.ts";
import type { SecretSource } from "./secrets/secret-source.ts";
import type { Timeouts } from "./timeouts.ts";

export interface MachineContext {
  readonly store: Store;
  readonly computer: Computer;
  readonly processes: ProcessRunner;
  /** How drivers ask their providers. */
  readonly http: HttpTransport;
  readonly clock: Clock;
  readonly redactor: Redactor;
  /** The PKI that new machines are signed with: the store's own, or the user's by `--tls-*`. */
  readonly certificates: AuthorityPaths;
  readonly timeouts: Timeouts;
  /** Follows references to secrets: `env:NAME` and its like. */
  readonly secrets: SecretSource;
  /**
   * Finds a built-in driver or a plugin. With the configuration of a stored machine, the driver that wrote it: where that
   * is not installed, what it opens is a stand-in that says so.
   */
  findDriver(name: string, storedConfig?: string): Promise<DriverModule>;
  /** Opens SSH by the back end the user chose. */
  openSsh(target: SshTarget, report: Report): Promise<SshExecutor>;
  /** Where events of one machine go; undefined = of none in particular. */
  reportFor(machineName: string | undefined): Report;
  /**
   * The clients' certificates that were read, by their paths: where many machines are looked at together, which have the
   * same ones nearly always, each is read once. Absent everywhere else, for they may change.
   */
  readonly credentialsRead?: Map<string, Promise<ClientCredentials>> | undefined;
  /** The command line that starts this program, for what is to outlive it; absent where nothing is to. */
  readonly ownProgram?: readonly string[] | undefined;
  /** Asks the user for a machine's sudo password; undefined when nobody can be asked. */
  askSudoPassword(machineName: string): Promise<string | undefined>;
}

/** What one machine's part in a command on many came to. */
export interface Outcome<T> {
  readonly name: string;
  readonly value?: T;
  readonly error?: unknown;
}
