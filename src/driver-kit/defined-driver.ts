/**
 * A driver of a provider as data: what a verb does is a function of the place that it works on (one machine, its record, its
 * ledger, its provider's API), and the class here is the contract's face. A driver that does something in another way
 * extends it.
 */
import { providerCapabilities, type Upgrade } from "./builtin-driver.ts";
import type { DriverOptions } from "./create-flag.ts";
import type { Driver, DriverCapabilities, DriverContext, DriverModule, Resource } from "./driver.ts";
import type { SizeChange } from "./sizes.ts";
import type { Ledger } from "./ledger.ts";
import { ProviderDriver, type ProviderConfig } from "./provider-driver.ts";
import type { MachineState } from "./state.ts";
import type { Pace } from "../system/waiting.ts";

/** What the parts of a driver work on. */
export interface DriverPlace<Config extends ProviderConfig, Api> {
  readonly context: DriverContext;
  readonly config: Config;
  readonly ledger: Ledger;
  readonly api: Api;
}

type Work<Place, Result = void> = (place: Place, signal: AbortSignal) => Promise<Result>;

/** A state, with one sentence where something is wrong ({@link Driver.stateProblem}). */
export interface StateAndProblem {
  /** "" where there is no machine. */
  readonly state: MachineState;
  readonly problem: string | undefined;
}

/** The verbs of the contract ({@link Driver}), each by the part that does it. */
export interface DriverParts<Place> {
  readonly preCreateCheck: Work<Place>;
  readonly create: Work<Place>;
  readonly remove: Work<Place>;
  readonly start: Work<Place>;
  readonly stop: Work<Place>;
  readonly kill: Work<Place>;
  readonly restart: Work<Place>;
  readonly getState: Work<Place, MachineState | StateAndProblem>;
  readonly locate: Work<Place>;
  readonly findResources: Work<Place, readonly Resource[]>;
  /** Where the provider can end an instance by itself. */
  readonly setLifetime?: (place: Place, deadline: Date | undefined, signal: AbortSignal) => Promise<void>;
  /** Where sizes of an instance can be changed; takes them into the configuration. */
  readonly resize?: (place: Place, change: SizeChange, signal: AbortSignal) => Promise<{ readonly fromNextStart: boolean }>;
  /** Where something can be said of an instance's console. */
  readonly console?: Work<Place, string>;
}

/** A driver of a provider, as data. */
export interface DriverDefinition<Config extends ProviderConfig, Api> extends Pick<
  DriverModule,
  "name" | "summary" | "flags" | "sizeFlags"
> {
  readonly newKeys: readonly string[];
  readonly pace: Pace;
  /** Where they are not {@link providerCapabilities}. */
  readonly capabilities: Pick<DriverCapabilities, "whenPoweredOff"> & Partial<DriverCapabilities>;
  /** The driver's own fields with their defaults, in the order they are stored. Made anew at each call. */
  newConfig(): Omit<Config, keyof ProviderConfig> & Partial<Config>;
  /** Makes a record of an older kind one of ours, before it is read. */
  readonly upgrade: Upgrade;
  /** Takes the flags, but for those of swarm, which are taken already. Throws `driver-options`; asks no provider. */
  configure(config: Config, options: DriverOptions, context: DriverContext): void | Promise<void>;
  /** Loads no package and makes no request: it is called with the first verb. */
  openApi(context: DriverContext, config: Config): Api;
  readonly parts: DriverParts<DriverPlace<Config, Api>>;
}

export class DefinedDriver<Config extends ProviderConfig, Api> extends ProviderDriver<Config> {
  readonly driverName: string;
  stateProblem: string | undefined;
  readonly setLifetime?: NonNullable<Driver["setLifetime"]>;
  readonly resize?: NonNullable<Driver["resize"]>;
  readonly console?: NonNullable<Driver["console"]>;
  readonly #definition: DriverDefinition<Config, Api>;
  #opened: DriverPlace<Config, Api> | undefined;

  constructor(definition: DriverDefinition<Config, Api>, context: DriverContext, configText: string | undefined) {
    super(context, definition.newConfig(), configText, definition.upgrade);
    this.driverName = definition.name;
    this.#definition = definition;
    const { setLifetime, resize, console } = definition.parts;
    if (setLifetime !== undefined) this.setLifetime = async (deadline, signal) => await setLifetime(this.place, deadline, signal);
    if (resize !== undefined) this.resize = async (change, signal) => await resize(this.place, change, signal);
    if (console !== undefined) this.console = async (signal) => await console(this.place, signal);
  }

  protected get place(): DriverPlace<Config, Api> {
    const { config, context, ledger } = this;
    this.#opened ??= { context, config, ledger, api: this.#definition.openApi(context, config) };
    return this.#opened;
  }

  /**
   * Anyone on a machine of a cloud, and in its containers, reads user data from the metadata service. On this computer the
   * seed is a file of this user's, and a CD that the guest's root alone may read.
   */
  get hostKeysExposed(): boolean {
    return this.#definition.capabilities.onThisComputer !== true && this.config.HostKeys.length > 0;
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    this.setSwarmConfig(options);
    await this.#definition.configure(this.config, options, this.context);
  }

  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    await this.#definition.parts.preCreateCheck(this.place, signal);
  }

  async create(signal: AbortSignal): Promise<void> {
    await this.#definition.parts.create(this.place, signal);
  }

  async remove(signal: AbortSignal): Promise<void> {
    await this.#definition.parts.remove(this.place, signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#definition.parts.start(this.place, signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#definition.parts.stop(this.place, signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await this.#definition.parts.kill(this.place, signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await this.#definition.parts.restart(this.place, signal);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    const found = await this.#definition.parts.getState(this.place, signal);
    const { state, problem } = typeof found === "string" ? { state: found, problem: undefined } : found;
    this.stateProblem = problem;
    return state;
  }

  async locate(signal: AbortSignal): Promise<void> {
    await this.#definition.parts.locate(this.place, signal);
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    return await this.#definition.parts.findResources(this.place, signal);
  }
}

/** @param Driver another than the usual face */
export function defineDriver<Config extends ProviderConfig, Api>(
  definition: DriverDefinition<Config, Api>,
  Driver: typeof DefinedDriver<Config, Api> = DefinedDriver,
): DriverModule {
  const { capabilities, flags, name, newKeys, pace, sizeFlags, summary } = definition;
  return {
    ...{ name, summary, flags, sizeFlags, newKeys, pace },
    capabilities: { ...providerCapabilities, ...capabilities },
    open: (context, configText) => new Driver(definition, context, configText),
  };
}
