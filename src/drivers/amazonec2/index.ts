/**
 * `amazonec2`: machines that are EC2 instances. This file is the contract's face; what is asked, and what is made of the
 * answers, is beside it: `options.ts` the record, `check.ts` what must hold before, `creation.ts`, `power.ts` and
 * `removal.ts` the life of an instance. AWS's SDK is loaded with the first request (`api.ts`).
 */
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { DriverContext, DriverModule, Resource } from "../../driver-kit/driver.ts";
import { ProviderDriver } from "../../driver-kit/provider-driver.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { Ec2Api } from "./api.ts";
import { checkBeforeCreate } from "./check.ts";
import { createInstance } from "./creation.ts";
import { upgrade } from "./old-records.ts";
import { amazonec2Flags, configure, newConfig, newKeys, type Amazonec2Config } from "./options.ts";
import { requireAlive, restartInstance, startInstance, states, stopInstance } from "./power.ts";
import { findMade, removeMade } from "./removal.ts";
import { pace, requireInstance, type Workplace } from "./workplace.ts";

class Amazonec2Driver extends ProviderDriver<Amazonec2Config> {
  readonly driverName = "amazonec2";
  #opened: Workplace | undefined;

  constructor(context: DriverContext, configText: string | undefined) {
    super(context, newConfig(), configText, upgrade);
  }

  get #place(): Workplace {
    const { config, context, ledger } = this;
    this.#opened ??= { context, config, ledger, api: new Ec2Api(context, config) };
    return this.#opened;
  }

  /** Anyone on the machine, and in its containers, reads user data from the metadata service. */
  get hostKeysExposed(): boolean {
    return this.config.HostKeys.length > 0;
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    configure(this.config, options, this.context);
    this.setSwarmConfig(options);
  }

  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    await checkBeforeCreate(this.#place, signal);
  }

  async create(signal: AbortSignal): Promise<void> {
    await createInstance(this.#place, signal);
  }

  async remove(signal: AbortSignal): Promise<void> {
    await removeMade(this.#place, signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    await startInstance(this.#place, signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await stopInstance(this.#place, false, signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await stopInstance(this.#place, true, signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await restartInstance(this.#place, signal);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    if (this.config.InstanceId === "") return "";
    const { State } = await requireInstance(this.#place, signal);
    return states[State?.Name ?? ""] ?? "";
  }

  /** The public address is another after each start, unless it is one of the owner's own. */
  async locate(signal: AbortSignal): Promise<void> {
    const { config } = this;
    const instance = await requireInstance(this.#place, signal);
    requireAlive(this.#place, instance);
    const { Ipv6Address, NetworkInterfaces = [], PrivateIpAddress = "", PublicIpAddress = "" } = instance;
    config.PrivateIPAddress = PrivateIpAddress;
    config.IPv6Address = Ipv6Address ?? NetworkInterfaces[0]?.Ipv6Addresses?.[0]?.Ipv6Address ?? "";
    if (config.PrivateIPOnly || config.UsePrivateIP) config.IPAddress = PrivateIpAddress;
    else config.IPAddress = config.Ipv6AddressOnly ? config.IPv6Address : PublicIpAddress;
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    return await findMade(this.#place, signal);
  }
}

export const driverModule: DriverModule = {
  name: "amazonec2",
  summary: "An instance of Amazon EC2",
  flags: amazonec2Flags,
  newKeys,
  capabilities: {
    provisionable: true,
    adopted: false,
    lifecycle: { start: true, stop: true, kill: true, restart: true },
    parallelCreate: true,
    perNameFlags: [],
    injectsHostKeys: true,
    whenPoweredOff: "free",
  },
  pace,
  open: (context, configText) => new Amazonec2Driver(context, configText),
};
