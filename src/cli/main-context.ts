import type { CreateFlag } from "../driver-kit/create-flag.ts";
import type { Clock } from "../system/clock.ts";
import type { Computer } from "../system/computer.ts";
import type { CommandSource } from "./command.ts";

/** What `main` needs beside its arguments; the entry file gives the real ones. */
export interface MainContext {
  /** The create flags of a driver, built in or plugin. Throws `driver-not-found`. */
  driverFlags(driverName: string, computer: Computer): Promise<readonly CreateFlag[]>;
  /** The driver that has a create flag, built in or, by its prefix, a plugin; undefined for a flag that none has. */
  ownerOfFlag(flag: string, computer: Computer): Promise<string | undefined>;
  readonly commands: CommandSource;
  /** The command line that starts this program; nothing is started in the background where it is absent. */
  readonly ownProgram?: readonly string[] | undefined;
  readonly clock: Clock;
  /** The runtime's name and version, for bug reports. */
  readonly runtime: string;
  /** Calls the listener at every SIGINT, SIGTERM and SIGHUP; gives the way to stop that. */
  onInterrupt(listener: (signal: NodeJS.Signals) => void): () => void;
  /** Calls the listener with what was thrown where nobody waited for it: a bug. */
  onUnexpected(listener: (error: unknown) => void): void;
  /** Ends the process at once, leaving everything as it is. */
  exitNow(code: number): void;
}
