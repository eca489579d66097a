/** `@docker-machine/cli/driver`: what the author of a driver needs. */
export { CliTool, type CliAnswer, type CliCall, type CliToolContext, type CliToolOptions } from "./driver-kit/cli-tool.ts";
export { newBaseConfig, type BaseConfig } from "./driver-kit/base-config.ts";
export { BuiltinDriver, engineUrl, providerCapabilities } from "./driver-kit/builtin-driver.ts";
export type { Driver, DriverCapabilities, DriverContext, DriverModule, Resource } from "./driver-kit/driver.ts";
export {
  createMark,
  macAddressOf,
  markedName,
  requireInstanceName,
  requireMark,
  uuidOf,
  type CreateMark,
} from "./driver-kit/marks.ts";
export { Ledger, removeAll, type LedgerEntry } from "./driver-kit/ledger.ts";
export { bool, defineOptions, int, list, port, secret, text, url, type ConfigOf } from "./driver-kit/options.ts";
export { cloudInitData, userDataBounds, type CloudInitData, type CloudInitWish } from "./driver-kit/guest/user-data.ts";
export {
  forgetHostKeys,
  hostNameOf,
  newGuestIdentity,
  publicHalves,
  type GuestIdentity,
} from "./driver-kit/guest/guest-identity.ts";
export { isOpenToWorld, machinePorts, parseCidrs, parseOpenPorts, type PortRange } from "./driver-kit/open-ports.ts";
export {
  DefinedDriver,
  defineDriver,
  type DriverDefinition,
  type DriverParts,
  type DriverPlace,
} from "./driver-kit/defined-driver.ts";
export { createOnce, type OneThing } from "./driver-kit/create-once.ts";
export { ProviderDriver, type ProviderConfig } from "./driver-kit/provider-driver.ts";
export { findCredential, type CredentialPlace, type CredentialSearch, type FoundCredential } from "./driver-kit/credentials.ts";
export {
  HttpApi,
  type ApiRequest,
  type HttpApiContext,
  type HttpApiOptions,
  type PageReader,
  type RetryPolicy,
} from "./driver-kit/http-api.ts";
export type { HttpAnswer, HttpRequest, HttpTransport, HttpTrust } from "./driver-kit/http-transport.ts";
export {
  failureError,
  failureKindOf,
  isNotFound,
  isUncertain,
  kindOfStatus,
  ProviderError,
  type Facts,
  type FailureKind,
  type FailureRow,
  type ProviderFailure,
} from "./driver-kit/provider-error.ts";
export { defaultValue, driverOptions, type CreateFlag, type DriverOptions, type FlagValue } from "./driver-kit/create-flag.ts";
export { machineStates, stateNumber, stateOfNumber, type MachineState } from "./driver-kit/state.ts";
export { defaultEnginePort } from "./engine/engine-address.ts";
export { errorCodes, type ErrorCode } from "./errors/codes.ts";
export { isMachineError, MachineError } from "./errors/machine-error.ts";
export type { ProgressEvent, Report } from "./log/event.ts";
export type { Clock } from "./system/clock.ts";
export { poll, unlessAborted, within, type Attempt, type Late, type Pace, type Patience } from "./system/waiting.ts";
export { servePlugin } from "./assembly/serve-plugin.ts";
