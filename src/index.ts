/**
 * `docker-machine`: the library. `createPorts` is its composition root; every use case takes the ports, and reports
 * typed events instead of printing.
 */
import { FileStore } from "./store/file-store.ts";
import { resolveStoreRoot } from "./store/paths.ts";
import { Redactor } from "./log/redact.ts";
import { reportNothing, type ProgressEvent } from "./log/event.ts";
import type { MachinePorts } from "./machine/ports.ts";
import { SecretSource } from "./machine/secrets/secret-source.ts";
import { defaultTimeouts, type Timeouts } from "./machine/timeouts.ts";
import { findDriver } from "./cli/driver-catalog.ts";
import { authorityPaths } from "./tls/authority-files.ts";
import { systemClock } from "./system/clock.ts";
import { currentPlatform } from "./system/host-platform.ts";
import { SystemProcessRunner } from "./system/process.ts";

export { createMachine, planCreate, type CreateRequest } from "./machine/create.ts";
export { changeState, type LifecycleVerb } from "./machine/lifecycle.ts";
export { listMachines, type ListedMachine, type ListRequest } from "./machine/list.ts";
export { provisionAgain, upgradeMachine } from "./machine/maintain.ts";
export { regenerateCertificates } from "./machine/certificates.ts";
export { removeMachine, type RemoveRequest } from "./machine/remove.ts";
export { findLeftovers, removeLeftovers, type Leftover } from "./machine/gc.ts";
export type { Host } from "./machine/host.ts";
export { openHost } from "./machine/open-host.ts";
export { requireConnection, requireUrl } from "./machine/engine-connection.ts";
export type { MachinePorts } from "./machine/ports.ts";
export { defaultTimeouts, type Timeouts } from "./machine/timeouts.ts";
export { driverOptions, type DriverOptions } from "./driver-kit/flags.ts";
export { isMachineError, MachineError } from "./errors/machine-error.ts";
export { errorCodes, type ErrorCode } from "./errors/codes.ts";
export type { ProgressEvent } from "./log/event.ts";

export interface LibraryOptions {
  /** The store's root; by default where the command line keeps it. */
  readonly storagePath?: string | undefined;
  readonly nativeSsh?: boolean | undefined;
  readonly timeouts?: Partial<Timeouts> | undefined;
  /** Receives the events of each machine; `machine` is undefined for work that belongs to none. */
  readonly onEvent?: ((event: ProgressEvent, machine: string | undefined) => void) | undefined;
  readonly askSudoPassword?: ((machine: string) => Promise<string | undefined>) | undefined;
}

/** The real store, clock, processes and drivers of this computer. Does no I/O. Throws `store-unusable` without a home. */
export function createPorts(options: LibraryOptions = {}): MachinePorts {
  const platform = currentPlatform();
  const processes = new SystemProcessRunner(platform);
  const store = new FileStore(
    resolveStoreRoot(platform, options.storagePath ?? platform.env["MACHINE_STORAGE_PATH"]),
    systemClock,
  );
  const { onEvent } = options;
  const timeouts = { ...defaultTimeouts, ...options.timeouts };
  return {
    store,
    platform,
    processes,
    clock: systemClock,
    redactor: new Redactor(),
    certificates: authorityPaths(store.certsDir),
    timeouts,
    secrets: new SecretSource({ platform, processes, timeoutMs: timeouts.secretMs }),
    loadDriver: async (name) => await findDriver(name, platform, timeouts),
    openSsh: async (target, report) => {
      const { chooseSshBackend, openSshExecutor } = await import("./ssh/connect.ts");
      return await openSshExecutor(await chooseSshBackend(options.nativeSsh ?? false, processes), target, {
        platform,
        processes,
        report,
      });
    },
    reportFor: (machine) => (onEvent === undefined ? reportNothing : (event) => onEvent(event, machine)),
    askSudoPassword: options.askSudoPassword ?? (async () => await Promise.resolve(undefined)),
  };
}
