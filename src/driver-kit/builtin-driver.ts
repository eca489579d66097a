/**
 * What all built-in drivers share: a configuration that begins with the base fields, is read over its defaults, and
 * keeps the keys it does not know; the answers that come straight from it; and refusal of verbs a driver lacks.
 */
import { MachineError } from "../errors/machine-error.ts";
import { respellJsonText } from "../gocompat/json-merge.ts";
import type { BaseConfig } from "./base-config.ts";
import type { Driver, DriverCapabilities, DriverContext } from "./driver.ts";
import type { DriverOptions } from "./create-flag.ts";
import type { MachineState } from "./state.ts";

/** What holds for the machines of every provider: made by us, several at once, and given their host keys. */
export const providerCapabilities = {
  provisionable: true,
  adopted: false,
  lifecycle: { start: true, stop: true, kill: true, restart: true },
  parallelCreate: true,
  perNameFlags: [],
  injectsHostKeys: true,
} as const satisfies DriverCapabilities;

/** Makes a stored configuration of an older kind, or another tool's, one that the driver reads. Keys it leaves are kept. */
export type Upgrade = (stored: Readonly<Record<string, unknown>>) => Readonly<Record<string, unknown>>;

export abstract class BuiltinDriver<Config extends BaseConfig> implements Driver {
  abstract readonly driverName: string;
  protected readonly context: DriverContext;
  protected readonly config: Config;
  readonly #defaults: Config;
  readonly #stored: Readonly<Record<string, unknown>>;
  readonly #storedText: string | undefined;

  /** @param defaults the configuration of a new machine, all keys present, in the order they are stored. */
  constructor(context: DriverContext, defaults: Config, configText: string | undefined, upgrade: Upgrade = (stored) => stored) {
    this.context = context;
    this.#defaults = defaults;
    this.#storedText = configText;
    this.#stored = configText === undefined ? {} : upgrade(parseObject(configText, context.machineName));
    this.config = overlay(defaults, this.#stored, context.machineName);
  }

  /** What was not changed is spelled as it was found: keys this driver does not know may hold numbers of 64 bits. */
  async configText(): Promise<string> {
    const text = JSON.stringify({ ...this.#stored, ...this.config, ...this.#unchangedNulls() });
    return this.#storedText === undefined ? text : respellJsonText(this.#storedText, text);
  }

  /** Go writes an empty list as null; what was not changed stays so. */
  #unchangedNulls(): Readonly<Record<string, null>> {
    const isUnchanged = (key: string): boolean =>
      JSON.stringify(this.config[key as keyof Config]) === JSON.stringify(this.#defaults[key as keyof Config]);
    const nulls = Object.keys(this.#stored).filter((key) => this.#stored[key] === null && isUnchanged(key));
    return Object.fromEntries(nulls.map((key) => [key, null]));
  }

  abstract setConfigFromFlags(options: DriverOptions): Promise<void>;
  abstract getState(signal: AbortSignal): Promise<MachineState>;
  abstract getUrl(): Promise<string>;

  async preCreateCheck(_signal: AbortSignal): Promise<void> {}

  abstract create(signal: AbortSignal): Promise<void>;
  abstract remove(signal: AbortSignal): Promise<void>;
  abstract start(signal: AbortSignal): Promise<void>;
  abstract stop(signal: AbortSignal): Promise<void>;
  abstract kill(signal: AbortSignal): Promise<void>;
  abstract restart(signal: AbortSignal): Promise<void>;

  async getIp(): Promise<string> {
    return this.config.IPAddress;
  }

  async getSshHostname(): Promise<string> {
    return await this.getIp();
  }

  async getSshPort(): Promise<number> {
    return this.config.SSHPort === 0 ? 22 : this.config.SSHPort;
  }

  async getSshUsername(): Promise<string> {
    return this.config.SSHUser === "" ? "root" : this.config.SSHUser;
  }

  async getSshKeyPath(): Promise<string> {
    return this.config.SSHKeyPath;
  }

  /** Takes the `--swarm-*` create flags that 0.16.2 keeps in every driver's configuration. */
  protected setSwarmConfig(options: DriverOptions): void {
    this.config.SwarmMaster = options.bool("swarm-master");
    this.config.SwarmHost = options.string("swarm-host");
    this.config.SwarmDiscovery = options.string("swarm-discovery");
  }

  /** Fails with the driver's own sentence for a verb that it lacks. */
  protected unsupported(sentence: string): never {
    throw new MachineError("driver-unsupported", sentence);
  }
}

/** `tcp://` URL of an engine; IPv6 addresses get brackets. */
export function engineUrl(address: string, port: number): string {
  return `tcp://${address.includes(":") ? `[${address}]` : address}:${port}`;
}

function parseObject(text: string, machineName: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw badConfig(machineName, "Driver is not an object");
}

function overlay<Config extends BaseConfig>(
  defaults: Config,
  stored: Readonly<Record<string, unknown>>,
  machineName: string,
): Config {
  const result = structuredClone(defaults) as Record<string, unknown>;
  for (const [key, fallback] of Object.entries(defaults)) {
    const value = stored[key];
    // Go writes an empty list as null and reads null as the zero value.
    if (value === undefined || value === null) continue;
    if (typeof value !== typeof fallback || Array.isArray(value) !== Array.isArray(fallback)) {
      throw badConfig(machineName, `Driver.${key} is not a ${Array.isArray(fallback) ? "list" : typeof fallback}`);
    }
    result[key] = value;
  }
  return result as unknown as Config;
}

function badConfig(machineName: string, what: string): MachineError {
  return new MachineError("record-unreadable", `The record of machine "${machineName}" is damaged: ${what}`, {
    hint: `Correct config.json in the machine's folder, or drop the record with: docker-machine rm -f ${machineName}`,
  });
}
