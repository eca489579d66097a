/**
 * `docker-machine`: the library. `createContext` opens it; every use case takes that context, and reports
 * typed events instead of printing.
 */
import { resolveStoreRoot } from "./store/paths.ts";
import { reportNothing, type ProgressEvent } from "./log/event.ts";
import type { MachineContext } from "./machine/machine-context.ts";
import type { Timeouts } from "./machine/timeouts.ts";
import { assemble } from "./assembly/assemble.ts";
import { thisComputer } from "./system/computer.ts";

export { createMachine, planCreate, type CreateRequest } from "./machine/create.ts";
export { changeState, type LifecycleVerb } from "./machine/lifecycle.ts";
export { listMachines, type ListedMachine, type ListRequest } from "./machine/list.ts";
export { provisionAgain, upgradeMachine } from "./machine/maintain.ts";
export { regenerateCertificates } from "./machine/certificates.ts";
export { removeMachine, type RemoveRequest } from "./machine/remove.ts";
export { findLeftovers, removeLeftovers, type Leftover } from "./machine/gc.ts";
export { execOnMachine, type ExecRequest, type ExecResult } from "./machine/exec.ts";
export { changeLabels, parseLabelChange, readLabels, type LabelChange } from "./machine/selection/labels.ts";
export { setProtection } from "./machine/selection/protection.ts";
export type { Host } from "./machine/host/host.ts";
export { openHost } from "./machine/host/open-host.ts";
export { requireConnection, requireUrl } from "./machine/host/engine-connection.ts";
export type { MachineContext } from "./machine/machine-context.ts";
export { defaultTimeouts, type Timeouts } from "./machine/timeouts.ts";
export { driverOptions, type DriverOptions } from "./driver-kit/create-flag.ts";
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
  askSudoPassword?(machine: string): Promise<string | undefined>;
}

/** The real store, clock, processes and drivers of this computer. Does no I/O. Throws `store-unusable` without a home. */
export function createContext(options: LibraryOptions = {}): MachineContext {
  const computer = thisComputer();
  const { onEvent, storagePath, ...rest } = options;
  return assemble({
    ...rest,
    computer,
    storePath: resolveStoreRoot(computer, storagePath ?? computer.env["MACHINE_STORAGE_PATH"]),
    reportFor: (machine) => (onEvent === undefined ? reportNothing : (event) => onEvent(event, machine)),
  });
}
