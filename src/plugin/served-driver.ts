/**
 * A driver of ours behind the protocol's calls. As with any plugin, each process serves one machine, which
 * `SetConfigRaw` names; what is asked before that is answered for a machine without a name.
 */
import { randomUUID } from "node:crypto";
import * as path from "node:path";
import { newBaseConfig } from "../driver-kit/base-config.ts";
import type { Driver, DriverContext, DriverModule } from "../driver-kit/driver.ts";
import { defaultValue, driverOptions, type DriverOptions, type FlagValue } from "../driver-kit/create-flag.ts";
import { stateNumber } from "../driver-kit/state.ts";
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import type { RpcHandler } from "../gocompat/netrpc/server.ts";
import { pluginFlagOf } from "./plugin-flags.ts";
import {
  methods,
  notRunningText,
  protocolVersion,
  type ArgumentOf,
  type MethodName,
  type PluginOptions,
  type ReplyOf,
} from "./protocol.ts";
import { secretsOfConfig } from "./secrets.ts";

/** What a served driver gets of this computer; the rest of its context is the machine's. */
export type ServedSurroundings = Pick<
  DriverContext,
  "computer" | "processes" | "http" | "operationMs" | "clock" | "report" | "secret"
> & {
  readonly openSsh: (driver: Driver, machine: ServedMachine) => ReturnType<DriverContext["openSsh"]>;
  readonly ensureSshKey: (
    machine: ServedMachine,
    wish?: Parameters<DriverContext["ensureSshKey"]>[0],
  ) => ReturnType<DriverContext["ensureSshKey"]>;
};

/** The machine that a process serves, as the tool names it. */
export type ServedMachine = Pick<DriverContext, "machineName" | "storePath" | "machineDir">;

/** Calls that concern the process rather than its machine. */
export interface ServedLifetime {
  /** Aborted when the process is about to end. */
  readonly signal: AbortSignal;
  onHeartbeat(): void;
  onClose(): void;
}

type Handlers = { readonly [Name in MethodName]: (argument: ArgumentOf<Name>) => Promise<ReplyOf<Name>> };

const nothing = {};

/** Of the configuration, behind the driver's own keys. */
const createIdKey = "CreateId";

export class ServedDriver {
  readonly #module: DriverModule;
  readonly #surroundings: ServedSurroundings;
  readonly #lifetime: ServedLifetime;
  #opened: Driver | undefined;

  constructor(module: DriverModule, surroundings: ServedSurroundings, lifetime: ServedLifetime) {
    this.#module = module;
    this.#surroundings = surroundings;
    this.#lifetime = lifetime;
  }

  /** The protocol's service: each method with its types. */
  service(): Record<string, RpcHandler> {
    const handlers = this.#handlers();
    return Object.fromEntries(
      (Object.keys(methods) as MethodName[]).map((name) => [name, { ...methods[name], handle: handlers[name] } as RpcHandler]),
    );
  }

  #handlers(): Handlers {
    const verb = (name: "preCreateCheck" | "remove" | "start" | "stop" | "restart" | "kill") => async (): Promise<object> => {
      await this.#driver[name](this.#lifetime.signal);
      return nothing;
    };
    return {
      GetVersion: async () => protocolVersion,
      Heartbeat: async () => {
        this.#lifetime.onHeartbeat();
        return nothing;
      },
      Close: async () => {
        this.#lifetime.onClose();
        return nothing;
      },
      SetConfigRaw: async (bytes) => this.#open(new TextDecoder().decode(bytes)),
      GetConfigRaw: async () => Buffer.from(await this.#configText()),
      GetCreateFlags: async () => this.#module.flags.map(pluginFlagOf),
      SetConfigFromFlags: async (options) => {
        await this.#driver.setConfigFromFlags(optionsOf(this.#module, options));
        return nothing;
      },
      DriverName: async () => this.#module.name,
      GetMachineName: async () => this.#machineName,
      GetURL: async () => await this.#url().catch(rewordNotRunning),
      GetIP: async () => await this.#driver.getIp(),
      GetIPv6: async () => "",
      GetSSHHostname: async () => await this.#driver.getSshHostname(),
      GetSSHPort: async () => await this.#driver.getSshPort(),
      GetSSHUsername: async () => await this.#driver.getSshUsername(),
      GetSSHKeyPath: async () => await this.#driver.getSshKeyPath(),
      GetState: async () => stateNumber(await this.#driver.getState(this.#lifetime.signal)),
      PreCreateCheck: verb("preCreateCheck"),
      Create: async () => {
        await this.#driver.create(this.#lifetime.signal).catch(asPanic);
        return nothing;
      },
      Remove: verb("remove"),
      Start: verb("start"),
      Stop: verb("stop"),
      Restart: verb("restart"),
      Kill: verb("kill"),
    };
  }

  /** Tools take whoever has a URL for running, and ask the driver only where there is none: so did all drivers of 0.16.2. */
  async #url(): Promise<string> {
    const url = await this.#driver.getUrl();
    if (url === "" || (await this.#driver.getState(this.#lifetime.signal)) === "Running") return url;
    throw new MachineError("machine-not-running", notRunningText);
  }

  #machineName = "";
  /** The protocol has no room for it, so it travels in the driver's configuration, which the tool keeps. */
  #createId: string | undefined;

  async #configText(): Promise<string> {
    const text = await this.#driver.configText();
    if (this.#createId === undefined || this.#module.capabilities.adopted) return text;
    const config = JSON.parse(text) as Record<string, unknown>;
    if (config[createIdKey] === this.#createId) return text;
    return JSON.stringify({ ...config, [createIdKey]: this.#createId });
  }

  get #driver(): Driver {
    this.#opened ??= this.#openOn("", "", undefined);
    return this.#opened;
  }

  #open(text: string): object {
    const config: unknown = JSON.parse(text);
    if (typeof config !== "object" || config === null || Array.isArray(config)) {
      throw new MachineError("plugin-failed", "The configuration is not a JSON object");
    }
    for (const secret of secretsOfConfig(text)) this.#surroundings.secret(secret);
    const { MachineName = "", StorePath = "" } = config as { MachineName?: unknown; StorePath?: unknown };
    this.#machineName = String(MachineName);
    const isFresh = isNew(config);
    const known: unknown = (config as Record<string, unknown>)[createIdKey];
    this.#createId = isFresh ? randomUUID() : typeof known === "string" && known !== "" ? known : undefined;
    this.#opened = this.#openOn(this.#machineName, String(StorePath), isFresh ? undefined : text);
    return nothing;
  }

  #openOn(machineName: string, storePath: string, config: string | undefined): Driver {
    const { computer, processes, http, operationMs, clock, report, secret, openSsh, ensureSshKey } = this.#surroundings;
    const machine = { machineName, storePath, machineDir: path.join(storePath, "machines", machineName) };
    const context: DriverContext = {
      ...machine,
      createId: this.#createId,
      cacheDir: path.join(storePath, "cache"),
      computer,
      processes,
      http,
      operationMs,
      clock,
      report,
      secret,
      // The tool asks for the configuration and keeps it; a plugin cannot make it do so.
      save: async () => {},
      openSsh: async () => await openSsh(driver, machine),
      ensureSshKey: async (wish) => await ensureSshKey(machine, wish),
      // The tool hands over the configuration with its secrets.
      reveal: async (given) => given,
    };
    const driver = this.#module.open(context, config);
    return driver;
  }
}

/** A new machine's configuration has the base fields and nothing in them but its name and store. */
function isNew(config: object): boolean {
  const empty = newBaseConfig("", "");
  const known: Record<string, unknown> = { ...empty, MachineName: undefined, StorePath: undefined, IPv6Address: "" };
  return Object.entries(config).every(
    ([key, value]) => Object.hasOwn(known, key) && (known[key] === undefined || known[key] === value),
  );
}

/** The protocol does not tell which flags the user gave: those are taken to be given that differ from their default. */
function optionsOf(module: DriverModule, options: PluginOptions | null): DriverOptions {
  const values: Record<string, FlagValue> = {};
  for (const [name, option] of options?.value.Values ?? []) {
    if (option === null) continue;
    values[name] = option.type === "int" ? Number(option.value) : option.value;
  }
  const defaults = new Map(module.flags.map((flag) => [flag.name, JSON.stringify(defaultValue(flag))]));
  const given = Object.keys(values).filter((name) => defaults.get(name) !== JSON.stringify(values[name]));
  return driverOptions(values, new Set(given));
}

/** The one text that tools compare. */
function rewordNotRunning(error: unknown): never {
  throw isMachineError(error, "machine-not-running") ? new Error(notRunningText) : error;
}

/** A bug of the driver's travels with its stack, as a panic does in Go. */
function asPanic(error: unknown): never {
  if (isMachineError(error) || !(error instanceof Error)) throw error;
  throw new Error(`Panic in the driver: ${error.message}\n${error.stack ?? ""}`);
}

/** The text in which an error travels: there is nothing else. */
export function errorTextOf(error: unknown): string {
  const hint = isMachineError(error) && error.hint !== undefined ? `\n${error.hint}` : "";
  return `${messageOf(error)}${hint}`;
}
