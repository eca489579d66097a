/**
 * `virtualbox`: virtual machines of Oracle VirtualBox 6.1 to 7.2 on this computer. The guest has two cards: by one it reaches the
 * world through this computer, and this computer its SSH through a port of 127.0.0.1; by the other it is in a network of this
 * computer and its machines, where its engine is. This file is the contract's face; the life of a machine is in the files beside.
 */
import { defaultEnginePort } from "../../engine/engine-address.ts";
import { engineUrl, providerCapabilities } from "../../driver-kit/builtin-driver.ts";
import type { DriverOptions } from "../../driver-kit/create-flag.ts";
import type { DriverContext, DriverModule, Resource } from "../../driver-kit/driver.ts";
import type { SizeChange } from "../../driver-kit/sizes.ts";
import { readConsoleLog } from "../../driver-kit/console-log.ts";
import { ProviderDriver } from "../../driver-kit/provider-driver.ts";
import type { MachineState } from "../../driver-kit/state.ts";
import { localNetworks } from "../../system/local-networks.ts";
import { findAddress } from "./address.ts";
import { checkBeforeCreate } from "./check.ts";
import { createVm } from "./creation.ts";
import { configure, newConfig, newKeys, upgrade, virtualBoxOptions, type VirtualBoxConfig } from "./options.ts";
import { killVm, startVm, stopVm } from "./power.ts";
import { findMade, removeMade } from "./removal.ts";
import { resizeVm, sizeFlags } from "./resize.ts";
import { VBoxManage } from "./vboxmanage.ts";
import { stateOf } from "./vm-info.ts";
import {
  fileOf,
  findVm,
  goneSentence,
  pace,
  requireVm,
  unreadableSentence,
  vmFiles,
  type HostSurroundings,
  type Workplace,
} from "./workplace.ts";

const thisHost: HostSurroundings = {
  moduleDevice: "/dev/vboxdrv",
  firmwareVariables: "/sys/firmware/efi/efivars",
  networksConf: "/etc/vbox/networks.conf",
  networks: localNetworks,
};

class VirtualBoxDriver extends ProviderDriver<VirtualBoxConfig> {
  readonly driverName = "virtualbox";
  readonly enginePort = defaultEnginePort;
  stateProblem: string | undefined;
  readonly #surroundings: HostSurroundings;
  #opened: Workplace | undefined;

  constructor(context: DriverContext, configText: string | undefined, surroundings: HostSurroundings) {
    super(context, newConfig(), configText, upgrade);
    this.#surroundings = surroundings;
  }

  get #place(): Workplace {
    const { config, context, ledger } = this;
    this.#opened ??= { context, config, ledger, tool: new VBoxManage(context), surroundings: this.#surroundings };
    return this.#opened;
  }

  async setConfigFromFlags(options: DriverOptions): Promise<void> {
    configure(this.config, options, this.context.computer);
    this.setSwarmConfig(options);
  }

  override async preCreateCheck(signal: AbortSignal): Promise<void> {
    await checkBeforeCreate(this.#place, signal);
  }

  async create(signal: AbortSignal): Promise<void> {
    await createVm(this.#place, signal);
  }

  async remove(signal: AbortSignal): Promise<void> {
    await removeMade(this.#place, signal);
  }

  async start(signal: AbortSignal): Promise<void> {
    await startVm(this.#place, await requireVm(this.#place, signal), signal);
  }

  async stop(signal: AbortSignal): Promise<void> {
    await stopVm(this.#place, signal);
  }

  async kill(signal: AbortSignal): Promise<void> {
    await killVm(this.#place, signal);
  }

  async restart(signal: AbortSignal): Promise<void> {
    await stopVm(this.#place, signal);
    await this.start(signal);
  }

  async getState(signal: AbortSignal): Promise<MachineState> {
    this.stateProblem = undefined;
    const found = await findVm(this.#place, signal);
    if (found === undefined) {
      if (this.config.VmUuid !== "") this.stateProblem = goneSentence(this.context.machineName);
      return "";
    }
    if (found === "inaccessible") {
      this.stateProblem = unreadableSentence(this.context.machineName);
      return "Error";
    }
    const state = stateOf(found);
    if (state === "Error") this.stateProblem = `VirtualBox says that the machine is in the state ${found.state}`;
    return state;
  }

  async resize(change: SizeChange, signal: AbortSignal): Promise<{ readonly fromNextStart: boolean }> {
    return await resizeVm(this.#place, change, signal);
  }

  async console(): Promise<string> {
    const { machineName } = this.context;
    const wayOut = `See its screen in VirtualBox's window: VBoxManage startvm ${machineName} --type separate. Machines of Debian's image on x86-64 write it to a file.`;
    return await readConsoleLog(fileOf(this.#place, vmFiles.console), machineName, wayOut);
  }

  async locate(signal: AbortSignal): Promise<void> {
    this.config.IPAddress = await findAddress(this.#place, signal);
  }

  override async getUrl(): Promise<string> {
    const { IPAddress, EnginePort } = this.config;
    return IPAddress === "" ? "" : engineUrl(IPAddress, EnginePort === 0 ? defaultEnginePort : EnginePort);
  }

  override async getSshHostname(): Promise<string> {
    return "127.0.0.1";
  }

  override async getSshUsername(): Promise<string> {
    return this.config.SSHUser === "" ? "docker" : this.config.SSHUser;
  }

  async findResources(signal: AbortSignal): Promise<readonly Resource[]> {
    return await findMade(this.#place, signal);
  }
}

/** @param surroundings where this computer tells things that VBoxManage does not */
export function virtualBoxModule(surroundings: HostSurroundings): DriverModule {
  return {
    name: "virtualbox",
    summary: "A virtual machine on this computer, by Oracle VirtualBox",
    flags: virtualBoxOptions.flags,
    sizeFlags,
    newKeys,
    capabilities: {
      ...providerCapabilities,
      onThisComputer: true,
      foundByName: true,
    },
    pace,
    open: (context, configText) => new VirtualBoxDriver(context, configText, surroundings),
  };
}

export const driverModule: DriverModule = virtualBoxModule(thisHost);
