/**
 * `digitalocean`: machines that are droplets. This file is the contract's face; what is asked, and what is made of the
 * answers, is beside it: `options.ts` the record, `check.ts` what must hold before, `creation.ts`, `power.ts` and
 * `removal.ts` the life of a droplet.
 */
import type { DriverContext, DriverModule, Resource } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { ProviderDriver } from "../../driver-kit/provider-driver.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { logTo } from "../../log/event.ts";
import { DigitalOceanApi, type Droplet } from "./api.ts";
import { checkBeforeCreate } from "./check.ts";
import { createDroplet, hasCreateFailed } from "./creation.ts";
import { configure, digitalOceanOptions, newConfig, newKeys, upgrade, type DigitalOceanConfig } from "./options.ts";
import { power, requireDroplet } from "./power.ts";
import { findMade, removeMade } from "./removal.ts";
import { pace, recordedDroplet, type Workplace } from "./workplace.ts";

const states: Readonly<Record<Droplet["status"], MachineState>> = {
  new: "Starting",
  active: "Running",
  off: "Stopped",
  archive: "Stopped",
};

class DigitalOceanDriver extends ProviderDriver<DigitalOceanConfig> {
  readonly driverName = "digitalocean";
  #opened: Workplace | undefined;

  constructor(context: DriverContext, configText: string | undefined) {
    super(context, newConfig(), configText, upgrade);
  }

  get #place(): Workplace {
    const { config, context, ledger } = this;
    this.#opened ??= { context, config, ledger, api: new DigitalOceanApi(context, config) };
    return this.#opened;
  }

  /** Anyone on the machine, and in its containers, reads user data from the metadata service. */
  get hostKeysExposed(): boolean {
    return this.config.HostKeys.length > 0;
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    configure(this.config, options, this.context.computer);
    this.setSwarmConfig(options);
  }

  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    await checkBeforeCreate(this.#place, signal);
  }

  async create(signal: AbortSignal): Promise<void> {
    await createDroplet(this.#place, signal);
  }

  async remove(signal: AbortSignal): Promise<void> {
    await removeMade(this.#place, signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    await power(this.#place, "power_on", signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    logTo(this.context.report, "info", "A droplet that is stopped is billed as one that runs; rm ends that.");
    await power(this.#place, "shutdown", signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await power(this.#place, "power_off", signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await power(this.#place, "reboot", signal);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    const droplet = await recordedDroplet(this.#place, signal);
    if (droplet === undefined) return "";
    if (droplet.status === "new" && (await hasCreateFailed(this.#place, signal))) return "Error";
    return states[droplet.status] ?? "";
  }

  /** Addresses stay while a droplet exists, but for those that its owner changes. */
  async locate(signal: AbortSignal): Promise<void> {
    const { config } = this;
    const { v4, v6 } = (await requireDroplet(this.#place, signal)).networks;
    const of = (type: "public" | "private"): string => v4.find((network) => network.type === type)?.ip_address ?? "";
    config.PrivateIPAddress = of("private");
    config.IPv6Address = v6.find(({ type }) => type === "public")?.ip_address ?? "";
    config.IPAddress = config.UsePrivateAddress || config.PrivateAddressOnly ? config.PrivateIPAddress : of("public");
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    return await findMade(this.#place, signal);
  }
}

export const driverModule: DriverModule = {
  name: "digitalocean",
  summary: "A droplet at DigitalOcean",
  flags: digitalOceanOptions.flags,
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
  open: (context, configText) => new DigitalOceanDriver(context, configText),
};
