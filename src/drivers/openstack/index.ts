/**
 * `openstack`: machines that are instances of an OpenStack cloud. This file is the contract's face; beside it are the
 * record (`options.ts`), who asks (`cloud-file.ts`, `identity.ts`, `session.ts`, `api.ts`), what must hold before
 * (`check.ts`), and the life of an instance: `creation.ts`, `power.ts`, `removal.ts`.
 */
import type { DriverContext, DriverModule, Resource } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { ProviderDriver } from "../../driver-kit/provider-driver.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { addressOf } from "./address.ts";
import { OpenStackApi } from "./api.ts";
import { checkBeforeCreate } from "./check.ts";
import { createServer } from "./creation.ts";
import { configure, newConfig, newKeys, openStackOptions, upgrade, type OpenStackConfig } from "./options.ts";
import { kill, problemOf, restart, start, stateOf, stop } from "./power.ts";
import { findMade, removeMade } from "./removal.ts";
import { pace, recordedServer, type Workplace } from "./workplace.ts";

class OpenStackDriver extends ProviderDriver<OpenStackConfig> {
  readonly driverName = "openstack";
  stateProblem: string | undefined;
  #opened: Workplace | undefined;

  constructor(context: DriverContext, configText: string | undefined) {
    super(context, newConfig(), configText, upgrade);
  }

  get #place(): Workplace {
    const { config, context, ledger } = this;
    this.#opened ??= { context, config, ledger, api: new OpenStackApi(context, config) };
    return this.#opened;
  }

  /** Anyone on the machine, and in its containers, reads user data from the metadata service or the config drive. */
  get hostKeysExposed(): boolean {
    return this.config.HostKeys.length > 0;
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    await configure(this.config, options, this.context.computer);
    this.setSwarmConfig(options);
  }

  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    await checkBeforeCreate(this.#place, signal);
  }

  async create(signal: AbortSignal): Promise<void> {
    await createServer(this.#place, signal);
  }

  async remove(signal: AbortSignal): Promise<void> {
    await removeMade(this.#place, signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    await start(this.#place, signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await stop(this.#place, signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await kill(this.#place, signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await restart(this.#place, signal);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    const server = await recordedServer(this.#place, signal);
    this.stateProblem = problemOf(this.#place, server);
    return stateOf(server);
  }

  async locate(signal: AbortSignal): Promise<void> {
    this.config.IPAddress = await addressOf(this.#place, signal);
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    return await findMade(this.#place, signal);
  }
}

export const driverModule: DriverModule = {
  name: "openstack",
  summary: "An instance of an OpenStack cloud",
  flags: openStackOptions.flags,
  newKeys,
  capabilities: {
    provisionable: true,
    adopted: false,
    lifecycle: { start: true, stop: true, kill: true, restart: true },
    parallelCreate: true,
    perNameFlags: [],
    injectsHostKeys: true,
    whenPoweredOff: "billed",
  },
  pace,
  open: (context, configText) => new OpenStackDriver(context, configText),
};
