/**
 * A row of `ls` as its templates see it: the Go types of 0.16.2, so that `{{.EngineOptions.Labels}}`, `{{printf "%d"
 * .State}}` and the errors about unknown fields are what they were. Knows shapes only; the rows come from `ls`.
 */
import { stateNumber, stateOfNumber, type MachineState } from "../../driver-kit/state.ts";
import { durationType } from "../../gocompat/duration.ts";
import {
  boolType,
  float64Type,
  goString,
  intType,
  namedType,
  pointerTo,
  sliceOf,
  stringType,
  structType,
  typedValue,
  type GoValue,
} from "../../gocompat/value.ts";

/** Options of classic swarm or the engine, spelled as in `config.json`. */
export type ListedOptions = Readonly<Record<string, unknown>>;

export interface HostListItem {
  readonly name: string;
  /** `-`, `*` or `* (swarm)`. */
  readonly active: string;
  readonly activeHost: boolean;
  readonly activeSwarm: boolean;
  readonly driverName: string;
  readonly state: MachineState;
  readonly url: string;
  readonly swarmOptions: ListedOptions | null;
  readonly swarm: string;
  readonly engineOptions: ListedOptions | null;
  readonly error: string;
  readonly dockerVersion: string;
  readonly responseTimeMs: number;
}

const strings = sliceOf(stringType);

const swarmOptionTypes = {
  IsSwarm: boolType,
  Address: stringType,
  Discovery: stringType,
  Agent: boolType,
  Master: boolType,
  Host: stringType,
  Image: stringType,
  Strategy: stringType,
  Heartbeat: intType,
  Overcommit: float64Type,
  ArbitraryFlags: strings,
  ArbitraryJoinFlags: strings,
  Env: strings,
  IsExperimental: boolType,
};

const engineOptionTypes = {
  ArbitraryFlags: strings,
  DNS: strings,
  GraphDir: stringType,
  Env: strings,
  Ipv6: boolType,
  InsecureRegistry: strings,
  Labels: strings,
  LogLevel: stringType,
  StorageDriver: stringType,
  SelinuxEnabled: boolType,
  TLSVerify: boolType,
  RegistryMirror: strings,
  InstallURL: stringType,
};

const swarmOptionsType = structType("swarm.Options", swarmOptionTypes);
const engineOptionsType = structType("engine.Options", engineOptionTypes);

/** What templates call the fields of options. None is called as one of a row is. */
export const optionFields: readonly string[] = [...Object.keys(swarmOptionTypes), ...Object.keys(engineOptionTypes)];

const stateType = namedType("state.State", intType, {
  String: (state) => goString(stateOfNumber(Number(state.int))),
});

const hostListItemType = structType("commands.HostListItem", {
  Name: stringType,
  Active: stringType,
  ActiveHost: boolType,
  ActiveSwarm: boolType,
  DriverName: stringType,
  State: stateType,
  URL: stringType,
  SwarmOptions: pointerTo(swarmOptionsType),
  Swarm: stringType,
  EngineOptions: pointerTo(engineOptionsType),
  Error: stringType,
  DockerVersion: stringType,
  ResponseTime: durationType,
});

/** The value that a template of `ls -f` is executed with. */
export function templateValueOf(item: HostListItem): GoValue {
  return typedValue(hostListItemType, {
    Name: item.name,
    Active: item.active,
    ActiveHost: item.activeHost,
    ActiveSwarm: item.activeSwarm,
    DriverName: item.driverName,
    State: stateNumber(item.state),
    URL: item.url,
    SwarmOptions: item.swarmOptions,
    Swarm: item.swarm,
    EngineOptions: item.engineOptions && withGoNames(item.engineOptions),
    Error: item.error,
    DockerVersion: item.dockerVersion,
    ResponseTime: BigInt(Math.round(item.responseTimeMs * 1e6)),
  });
}

/** Two fields are called otherwise in JSON than in Go. */
function withGoNames(options: ListedOptions): ListedOptions {
  return { ...options, DNS: options["Dns"], TLSVerify: options["TlsVerify"] };
}
