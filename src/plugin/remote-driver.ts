/**
 * A driver that lives in a plugin. The program starts with the first call that needs it and ends with `close`; when it
 * ended before, the next call starts it again on the configuration last known. Plugins keep everything in that
 * configuration, whose bytes are never touched here: numbers and key order are the plugin's.
 */
import { newBaseConfig } from "../driver-kit/base-config.ts";
import type { Driver, DriverContext } from "../driver-kit/driver.ts";
import type { DriverOptions, FlagValue } from "../driver-kit/create-flag.ts";
import { stateOfNumber, type MachineState } from "../driver-kit/state.ts";
import { isMachineError, MachineError, messageOf } from "../errors/machine-error.ts";
import { answerWithin, type PluginBounds } from "./plugin-bounds.ts";
import { findPlugin, type PluginLocation } from "./discover.ts";
import { pluginPrefix } from "./plugin-environment.ts";
import { PluginSession } from "./plugin-session.ts";
import type { ProcessSlots } from "./process-slots.ts";
import type { ArgumentOf, MethodName, PluginOption, ReplyOf } from "./protocol.ts";
import { secretsOfConfig, secretsOfOptions } from "./secrets.ts";

/** Calls that act: they take as long as they need, while the plugin answers heartbeats. */
type Verb = "PreCreateCheck" | "Create" | "Remove" | "Start" | "Stop" | "Restart" | "Kill";

const configText = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Drivers by whose name 0.16.2 knows that there is no host to set up. */
const unprovisionedNames: readonly string[] = ["none", "ci-test"];

/** What all plugins of this process share. */
export interface PluginRuntime {
  readonly bounds: PluginBounds;
  readonly slots: ProcessSlots;
  /** Ends questions that are given no signal of their own: the end of the whole command. */
  readonly signal?: AbortSignal | undefined;
}

export class RemoteDriver implements Driver {
  readonly #location: PluginLocation;
  readonly #context: DriverContext;
  readonly #runtime: PluginRuntime;
  #driverName: string;
  #session: Promise<PluginSession> | undefined;
  /** Ends a start that is under way. */
  #stopStarting: ((reason: Error) => void) | undefined;
  /** The configuration last known; undefined until the plugin of a new machine was asked for its own. */
  #config: string | undefined;

  constructor(location: PluginLocation, context: DriverContext, config: string | undefined, runtime: PluginRuntime) {
    this.#driverName = location.name;
    this.#location = location;
    this.#context = context;
    this.#runtime = runtime;
    this.#config = config;
    if (config !== undefined) this.#registerSecrets(config);
  }

  /** Of a new machine, what the plugin reports itself: 0.16.2 stores that, and looks for the plugin by it from then on. */
  get driverName(): string {
    return this.#driverName;
  }

  get provisionable(): boolean {
    return !unprovisionedNames.includes(this.#driverName);
  }

  /** Asks a plugin that is running or has not spoken yet; else gives what is stored, without starting a program for it. */
  async configText(): Promise<string> {
    const isRunning = (await this.#session?.catch(() => undefined))?.isOpen === true;
    if (this.#config !== undefined && !isRunning) return this.#config;
    return await this.#fetchConfig(await this.#open());
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    const values = options.all();
    for (const secret of secretsOfOptions(values)) this.#context.secret(secret);
    const entries = Object.entries(values).map(([name, value]) => [name, pluginOption(name, value)] as const);
    const session = await this.#open(this.#runtime.signal);
    await this.#takeName();
    await this.#ask("SetConfigFromFlags", { type: "*rpcdriver.RPCFlags", value: { Values: new Map(entries) } });
    await this.#fetchConfig(session);
  }

  /** Of a plugin whose name cannot be asked or is none, the one that it was asked for by stays. */
  async #takeName(): Promise<void> {
    const reported = await this.#ask("DriverName", {}).catch((error: unknown) => {
      if (isMachineError(error, "driver-unsupported")) return "";
      throw error;
    });
    if (isPlainName(reported)) this.#driverName = reported;
    if (this.#driverName === this.#location.name) return;
    const { computer, report } = this.#context;
    if ((await findPlugin(this.#driverName, computer)) !== undefined) return;
    const text = `Later commands look for ${pluginPrefix}${this.#driverName} on PATH, where it is not: put ${this.#location.program} there under that name`;
    report({ type: "log", level: "warn", text });
  }

  async preCreateCheck(signal: AbortSignal): Promise<void> {
    await this.#act("PreCreateCheck", signal);
  }

  /** Interrupted, it still learns and saves what the plugin has made so far, so that `remove` finds it. */
  async create(signal: AbortSignal): Promise<void> {
    try {
      await this.#act("Create", signal);
    } catch (error) {
      if (signal.aborted) {
        await this.#salvage(this.#context.save());
        await this.close();
      }
      throw error;
    }
  }

  async remove(signal: AbortSignal): Promise<void> {
    await this.#act("Remove", signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#act("Start", signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#act("Stop", signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await this.#act("Kill", signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await this.#act("Restart", signal);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    return stateOfNumber(Number(await this.#ask("GetState", {}, signal)));
  }

  async getUrl(): Promise<string> {
    return await this.#ask("GetURL", {});
  }

  async getIp(): Promise<string> {
    return await this.#ask("GetIP", {});
  }

  /** The machine's IPv6 address; "" when it has none or the plugin is older than the question. */
  async getIpv6(): Promise<string> {
    return await this.#ask("GetIPv6", {}).catch((error: unknown) => {
      if (isMachineError(error, "driver-unsupported")) return "";
      throw error;
    });
  }

  async getSshHostname(): Promise<string> {
    return await this.#ask("GetSSHHostname", {});
  }

  async getSshPort(): Promise<number> {
    return Number(await this.#ask("GetSSHPort", {}));
  }

  async getSshUsername(): Promise<string> {
    return await this.#ask("GetSSHUsername", {});
  }

  async getSshKeyPath(): Promise<string> {
    return await this.#ask("GetSSHKeyPath", {});
  }

  /** Ends the plugin. The driver can be used again: the next call starts another. */
  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#stopStarting?.(
      new MachineError("plugin-failed", `The driver plugin ${this.#location.program} was given up while it started`),
    );
    await (await session?.catch(() => undefined))?.close();
  }

  async #ask<Name extends MethodName>(
    name: Name,
    argument: ArgumentOf<Name>,
    signal = this.#runtime.signal,
  ): Promise<ReplyOf<Name>> {
    const session = await this.#open(signal);
    return await session.call(name, argument, { signal, timeoutMs: this.#runtime.bounds.questionMs });
  }

  /** What a verb changed in the configuration counts also when it failed: a half-made instance has an identifier. */
  async #act(verb: Verb, signal: AbortSignal): Promise<void> {
    const session = await this.#open(signal);
    try {
      await session.call(verb, {}, { signal });
    } catch (error) {
      // Whatever it logged before it answered is in the pipe by now.
      await new Promise(setImmediate);
      await this.#salvage(this.#fetchConfig(session));
      throw error;
    }
    if (verb === "Create") await this.#fetchConfig(session);
    else await this.#salvage(this.#fetchConfig(session));
  }

  /** Work that is worth trying, but no reason to wait or to fail. */
  async #salvage(work: Promise<unknown>): Promise<void> {
    const { clock } = this.#context;
    await answerWithin(work, this.#runtime.bounds.closeMs, clock).catch((error: unknown) =>
      this.#report("debug", `The configuration was not saved: ${messageOf(error)}`),
    );
  }

  /** From the very process that knows: one started in its place would give back what it was told. */
  async #fetchConfig(session: PluginSession): Promise<string> {
    const bytes = await session.call("GetConfigRaw", {}, { timeoutMs: this.#runtime.bounds.questionMs });
    const config = this.#validConfig(bytes);
    if (config !== this.#config) this.#registerSecrets(config);
    this.#config = config;
    return config;
  }

  #validConfig(bytes: Uint8Array): string {
    try {
      const text = configText.decode(bytes);
      JSON.parse(text);
      return text;
    } catch (error) {
      const sentence = `The driver plugin ${this.#location.program} gave a configuration that is not JSON`;
      throw new MachineError("plugin-failed", sentence, { cause: error });
    }
  }

  #registerSecrets(config: string): void {
    for (const secret of secretsOfConfig(config)) this.#context.secret(secret);
  }

  async #open(signal?: AbortSignal): Promise<PluginSession> {
    const known = this.#session;
    if (known === undefined) return await this.#begin(signal);
    const session = await known;
    if (session.isOpen) return session;
    if (this.#session === known) this.#session = undefined;
    await session.close();
    return await (this.#session ?? this.#begin(signal));
  }

  #begin(signal: AbortSignal | undefined): Promise<PluginSession> {
    const stop = new AbortController();
    this.#stopStarting = (reason) => stop.abort(reason);
    const starting = this.#start(signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]));
    this.#session = starting;
    starting.catch(() => {
      if (this.#session === starting) this.#session = undefined;
    });
    return starting;
  }

  async #start(signal: AbortSignal): Promise<PluginSession> {
    const { machineName, storePath, computer, processes, clock } = this.#context;
    const giveBack = await this.#runtime.slots.take(clock, signal);
    try {
      const host = { computer, processes, clock, bounds: this.#runtime.bounds };
      const config = this.#config ?? JSON.stringify(newBaseConfig(machineName, storePath));
      const session = await PluginSession.open(this.#location, host, config, this.#report, signal);
      void session.ended.then(giveBack);
      return session;
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  readonly #report = (level: "info" | "debug", text: string): void => {
    this.#context.report({ type: "log", level, text, machine: this.#context.machineName });
  };
}

function pluginOption(name: string, value: FlagValue): PluginOption {
  if (typeof value === "string") return { type: "string", value };
  if (typeof value === "boolean") return { type: "bool", value };
  if (typeof value !== "number") return { type: "[]string", value };
  if (Number.isSafeInteger(value)) return { type: "int", value };
  throw new MachineError("driver-options", `--${name} ${value} is not a whole number that can be passed to a plugin`);
}

/** Whether a plugin can be found again by what it reported. */
function isPlainName(reported: string): boolean {
  return /^[\w.-]+$/u.test(reported);
}
