/**
 * `azure`: machines that are virtual machines at Azure. This file is the contract's face; what is asked, and what is made
 * of the answers, is beside it: `options.ts` the record, `check.ts` what must hold before, `creation.ts` and
 * `surroundings.ts`, `power.ts` and `removal.ts` the life of a machine, `api.ts` the resource manager.
 */
import { engineUrl } from "../../driver-kit/builtin-driver.ts";
import type { DriverContext, DriverModule, Resource } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { ProviderDriver } from "../../driver-kit/provider-driver.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { addressOf } from "./address.ts";
import { AzureApi } from "./api.ts";
import { checkBeforeCreate } from "./check.ts";
import { createMachine } from "./creation.ts";
import { azureOptions, configure, newConfig, newKeys, upgrade, type AzureConfig } from "./options.ts";
import { kill, restart, start, stateOf, stop } from "./power.ts";
import { findMade, removeMade } from "./removal.ts";
import { chosenByAz } from "./subscription.ts";
import { pace, type Workplace } from "./workplace.ts";

class AzureDriver extends ProviderDriver<AzureConfig> {
  readonly driverName = "azure";
  #opened: Workplace | undefined;

  constructor(context: DriverContext, configText: string | undefined) {
    super(context, newConfig(), configText, upgrade);
  }

  get #place(): Workplace {
    const { config, context, ledger } = this;
    this.#opened ??= { context, config, ledger, api: new AzureApi(context, config) };
    return this.#opened;
  }

  /** The medium by which Azure hands over custom data stays in the machine. */
  get hostKeysExposed(): boolean {
    return this.config.HostKeys.length > 0;
  }

  override async getUrl(): Promise<string> {
    const address = await this.getIp();
    return address === "" ? "" : engineUrl(address, this.config.DockerPort);
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    const { computer } = this.context;
    const isGiven = options.string("azure-subscription-id") !== "";
    configure(this.config, options, computer, isGiven ? "" : await chosenByAz(computer));
    this.setSwarmConfig(options);
  }

  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    await checkBeforeCreate(this.#place, signal);
  }

  async create(signal: AbortSignal): Promise<void> {
    await createMachine(this.#place, signal);
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
    return await stateOf(this.#place, signal);
  }

  async locate(signal: AbortSignal): Promise<void> {
    this.config.IPAddress = await addressOf(this.#place, signal);
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    return await findMade(this.#place, signal);
  }
}

export const driverModule: DriverModule = {
  name: "azure",
  summary: "A virtual machine at Microsoft Azure",
  flags: azureOptions.flags,
  newKeys,
  capabilities: {
    provisionable: true,
    adopted: false,
    lifecycle: { start: true, stop: true, kill: true, restart: true },
    parallelCreate: true,
    perNameFlags: ["azure-private-ip-address", "azure-dns"],
    injectsHostKeys: true,
    whenPoweredOff: "billed",
    foundByName: true,
  },
  pace,
  open: (context, configText) => new AzureDriver(context, configText),
};
