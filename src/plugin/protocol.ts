/** The driver-plugin protocol as data: services, methods and their types (docs/plugin-protocol.md). */
import {
  gobBool,
  gobBytes,
  gobEmpty,
  gobInt,
  gobInterface,
  gobMap,
  gobSlice,
  gobString,
  gobStruct,
  type GobType,
  type ValueOf,
} from "../gocompat/gob/types.ts";
import type { RpcMethod } from "../gocompat/netrpc/messages.ts";

export const protocolVersion = 1;
/** Service names: today's, and that of plugins made before 0.5.1. */
export const serviceNames = ["RPCServerDriver", "RpcServerDriver"] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Go sends one 5 s after the last was answered; a plugin ends itself when 10 s pass without one. */
export const heartbeatIntervalMs = 5_000;
export const heartbeatTimeoutMs = 10_000;

/** The one error text that the tool compares. */
export const notRunningText = "Host is not running";

const flag = { Name: gobString, Usage: gobString, EnvVar: gobString };

/** What may stand in the list of create flags: Go registers pointers, so these are their wire names. */
export const pluginFlagType = gobInterface({
  "*mcnflag.StringFlag": gobStruct("StringFlag", { ...flag, Value: gobString }),
  "*mcnflag.IntFlag": gobStruct("IntFlag", { ...flag, Value: gobInt }),
  "*mcnflag.BoolFlag": gobStruct("BoolFlag", flag),
  "*mcnflag.StringSliceFlag": gobStruct("StringSliceFlag", { ...flag, Value: gobSlice(gobString) }),
});
export type PluginFlag = NonNullable<ValueOf<typeof pluginFlagType>>;

const optionType = gobInterface({ string: gobString, int: gobInt, bool: gobBool, "[]string": gobSlice(gobString) });
export type PluginOption = NonNullable<ValueOf<typeof optionType>>;

/** Go's `*drivers.DriverOptions`, always its RPCFlags. */
const optionsType = gobInterface({ "*rpcdriver.RPCFlags": gobStruct("RPCFlags", { Values: gobMap(gobString, optionType) }) });
export type PluginOptions = NonNullable<ValueOf<typeof optionsType>>;

function method<Argument, Reply>(argument: GobType<Argument>, reply: GobType<Reply>): RpcMethod<Argument, Reply> {
  return { argument, reply };
}

const command = method(gobEmpty, gobEmpty);
const text = method(gobEmpty, gobString);

export const methods = {
  GetVersion: method(gobEmpty, gobInt),
  Heartbeat: command,
  Close: command,
  SetConfigRaw: method(gobBytes, gobEmpty),
  GetConfigRaw: method(gobEmpty, gobBytes),
  GetCreateFlags: method(gobEmpty, gobSlice(pluginFlagType)),
  SetConfigFromFlags: method(optionsType, gobEmpty),
  DriverName: text,
  GetMachineName: text,
  GetURL: text,
  GetIP: text,
  /** Newer than 0.16.2, in one fork only. */
  GetIPv6: text,
  GetSSHHostname: text,
  GetSSHPort: method(gobEmpty, gobInt),
  GetSSHUsername: text,
  GetSSHKeyPath: text,
  GetState: method(gobEmpty, gobInt),
  PreCreateCheck: command,
  Create: command,
  Remove: command,
  Start: command,
  Stop: command,
  Restart: command,
  Kill: command,
} as const;

export type MethodName = keyof typeof methods;
export type ArgumentOf<Name extends MethodName> = ValueOf<(typeof methods)[Name]["argument"]>;
export type ReplyOf<Name extends MethodName> = ValueOf<(typeof methods)[Name]["reply"]>;
