/** What the back ends need of the outside world. */
import type { Report } from "../log/event.ts";
import type { Clock } from "../system/clock.ts";
import type { Computer } from "../system/computer.ts";
import type { ProcessRunner } from "../system/process.ts";

export interface SshContext {
  readonly processes: ProcessRunner;
  readonly clock: Clock;
  readonly computer: Computer;
  /** Told of pinned host keys, and of connections at level debug. */
  readonly report: Report;
  /** In place of the user's ssh_config, for targets with a `configHost`. */
  readonly sshConfigFile?: string | undefined;
  /** In place of this process's own streams, for sessions of the native back end. */
  readonly terminal?: TerminalStreams | undefined;
}

export interface TerminalStreams {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}
