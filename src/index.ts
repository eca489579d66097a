/**
 * `@docker-machine/cli`: the library. `DockerMachine` is one store of machines as an object; every use case can be called by
 * itself too, with a context of `createContext`, and reports typed events instead of printing.
 */
export { createContext, DockerMachine, type CreateOptions, type LibraryOptions } from "./client.ts";
export { createMachine, planCreate, type CreateRequest } from "./machine/create.ts";
export { changeState, type LifecycleVerb } from "./machine/lifecycle.ts";
export { listMachines, type ListedMachine, type ListRequest } from "./machine/list.ts";
export { provisionAgain, upgradeMachine } from "./machine/maintain.ts";
export { regenerateCertificates } from "./machine/certificates.ts";
export { removeMachine, type RemoveRequest } from "./machine/remove.ts";
export { findLeftovers, removeLeftovers, type Leftover } from "./machine/gc.ts";
export { execOnMachine, type ExecRequest, type ExecResult } from "./machine/exec.ts";
export { changeLabels, parseLabelChange, readLabels, type LabelChange } from "./machine/selection/labels.ts";
export { runDoctor, type DoctorRequest } from "./machine/doctor/doctor.ts";
export type { Finding } from "./machine/doctor/examine.ts";
export { createContext as createDockerContext, useContext as useDockerContext } from "./machine/integration/create-context.ts";
export { removeContext as removeDockerContext } from "./machine/integration/contexts.ts";
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
