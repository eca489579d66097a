/** A machine in memory: its record, its opened driver, and how the two are saved. */
import type { Driver, DriverModule } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { Report } from "../../log/event.ts";
import type { SshExecutor, SshTarget } from "../../ssh/executor.ts";
import type { HostRecord } from "../../store/host-record.ts";
import type { Journal, JournaledCommand } from "../interruption/journal.ts";

/** Whether an engine is installed on the machine and looked after: what the driver says, where only the opened one can tell. */
export function isProvisioned({ driver, module }: Pick<Host, "driver" | "module">): boolean {
  return driver.provisionable ?? module.capabilities.provisionable;
}

export interface Host extends AsyncDisposable {
  readonly name: string;
  readonly record: HostRecord;
  readonly module: DriverModule;
  readonly driver: Driver;
  readonly report: Report;
  /** Folder of the machine in the store. */
  readonly dir: string;
  /** Gives the driver the create flags of a new machine, its secrets among them. Throws what the driver throws, and `secret-unavailable`. */
  configure(options: DriverOptions): Promise<void>;
  /** Takes the credentials in the engine's environment out of the record, to where other secrets are. Done by {@link configure}. */
  concealEngineSecrets(): Promise<void>;
  /** The engine's environment, `NAME=value` each, with its credentials. Throws `secret-unavailable`. */
  engineEnvironment(): Promise<readonly string[]>;
  /** Puts a new machine into the store, with further files of its folder by name. */
  store(companions: Readonly<Record<string, string>>): Promise<void>;
  /** Takes the driver's configuration into the record and makes the record durable. */
  save(): Promise<void>;
  /** What is noted of a command on this machine. Nothing is written yet. */
  openJournal(command: JournaledCommand, whenFull?: "go-on"): Promise<Journal>;
  /** The SSH address, user, key and pinned host keys as the driver tells them now. */
  sshTarget(): Promise<SshTarget>;
  /** The caller closes it. */
  openSsh(): Promise<SshExecutor>;
}
