/**
 * `google`: machines that are instances of Compute Engine. This file is the contract's face; what is asked, and what is
 * made of the answers, is beside it: `options.ts` and `records.ts` the record, `check.ts` what must hold before,
 * `creation.ts`, `location.ts`, `power.ts` and `removal.ts` the life of an instance.
 */
import type { DriverContext, DriverModule, Resource } from "../../driver-kit/driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import { ProviderDriver } from "../../driver-kit/provider-driver.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { logTo } from "../../log/event.ts";
import { adoptInstance } from "./adoption.ts";
import { ComputeApi } from "./api.ts";
import { checkBeforeCreate } from "./check.ts";
import { createInstance } from "./creation.ts";
import { Location } from "./location.ts";
import { changeMetadata } from "./metadata-change.ts";
import { configure, googleOptions, newConfig, newKeys, type GoogleConfig } from "./options.ts";
import { startInstance, stopInstance } from "./power.ts";
import { upgrade } from "./records.ts";
import { findMade, removeMade } from "./removal.ts";
import { ownInstance, pace, type Workplace } from "./workplace.ts";

const states: Readonly<Record<string, MachineState>> = {
  PROVISIONING: "Starting",
  STAGING: "Starting",
  PENDING: "Starting",
  REPAIRING: "Starting",
  RUNNING: "Running",
  STOPPING: "Stopping",
  PENDING_STOP: "Stopping",
  SUSPENDING: "Stopping",
  DEPROVISIONING: "Stopping",
  TERMINATED: "Stopped",
  STOPPED: "Stopped",
  SUSPENDED: "Saved",
};

const secretItems: ReadonlySet<string> = new Set(["user-data", "user-data-encoding"]);

class GoogleDriver extends ProviderDriver<GoogleConfig> {
  readonly driverName = "google";
  #opened: Workplace | undefined;
  #location: Location | undefined;

  constructor(context: DriverContext, configText: string | undefined) {
    super(context, newConfig(), configText, upgrade);
  }

  get #place(): Workplace {
    const { config, context, ledger } = this;
    this.#opened ??= { context, config, ledger, api: new ComputeApi(context, config) };
    return this.#opened;
  }

  /** Anyone on the machine, and in its containers, reads user data from the metadata server. */
  get hostKeysExposed(): boolean {
    return this.config.KeysInUserData && this.config.HostKeys.length > 0;
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    this.setSwarmConfig(options);
    configure(this.config, options, this.context.computer);
  }

  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    const { ExternalFirewallRulePrefix, InternalFirewallRulePrefix } = this.config;
    if (ExternalFirewallRulePrefix !== "" || InternalFirewallRulePrefix !== "")
      logTo(this.context.report, "warn", "Firewall rules with prefixes are for Rancher's clusters: none are made");
    await checkBeforeCreate(this.#place, signal);
  }

  async create(signal: AbortSignal): Promise<void> {
    if (this.config.UseExisting) await adoptInstance(this.#place, signal);
    else await createInstance(this.#place, signal);
  }

  async remove(signal: AbortSignal): Promise<void> {
    await removeMade(this.#place, signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    await startInstance(this.#place, signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await stopInstance(this.#place, signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await stopInstance(this.#place, signal, true);
  }

  /** As 0.16.2: the guest ends in order, and may come up under another address. */
  async restart(signal: AbortSignal): Promise<void> {
    await stopInstance(this.#place, signal);
    await startInstance(this.#place, signal);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    if (this.config.InstanceNumericId === "" && this.config.Resources.length === 0) return "";
    const instance = await ownInstance(this.#place, signal);
    return states[instance?.status ?? ""] ?? "";
  }

  async locate(signal: AbortSignal): Promise<void> {
    this.#location ??= new Location(this.#place);
    await this.#location.locate(signal);
  }

  async withdrawSecrets(signal: AbortSignal): Promise<void> {
    if ((await ownInstance(this.#place, signal)) === undefined) return;
    await changeMetadata(
      this.#place,
      (items) => (items.some(({ key }) => secretItems.has(key)) ? items.filter(({ key }) => !secretItems.has(key)) : items),
      signal,
    );
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    return await findMade(this.#place, signal);
  }
}

export const driverModule: DriverModule = {
  name: "google",
  summary: "An instance of Google Compute Engine",
  flags: googleOptions.flags,
  newKeys,
  capabilities: {
    provisionable: true,
    adopted: false,
    lifecycle: { start: true, stop: true, kill: true, restart: true },
    parallelCreate: true,
    perNameFlags: ["google-address"],
    injectsHostKeys: true,
    whenPoweredOff: "free",
    foundByName: true,
  },
  pace,
  open: (context, configText) => new GoogleDriver(context, configText),
};
