/**
 * `vmwarevsphere`: machines that are VMs of a vCenter, or of an ESXi host by itself. What is asked, and what is made of the
 * answers: `api/` speaks with vSphere, `options.ts` has the record, `check.ts` what must hold before, `creation.ts`,
 * `power.ts` and `removal.ts` the life of a VM. What speaks with vSphere is loaded with the first verb.
 */
import { DefinedDriver, defineDriver } from "../../driver-kit/defined-driver.ts";
import { noConsole } from "../../driver-kit/console-log.ts";
import { VimApi } from "./api/vim-api.ts";
import { configure, driverName, newConfig, newKeys, sizeFlags, upgrade, vsphereOptions, type VsphereConfig } from "./options.ts";
import { pace } from "./workplace.ts";

class VsphereDriver extends DefinedDriver<VsphereConfig, VimApi> {
  /** Of 0.16.2's records without one too. */
  override async getSshUsername(): Promise<string> {
    return this.config.SSHUser === "" ? "docker" : this.config.SSHUser;
  }

  async suspend(signal: AbortSignal): Promise<void> {
    const { suspend } = await import("./power.ts");
    await suspend(this.place, signal);
  }

  /** Whoever may look at the datastore, or at the VM's settings, reads the seed there until then. */
  async withdrawSecrets(signal: AbortSignal): Promise<void> {
    const { withdrawSeed } = await import("./seed.ts");
    await withdrawSeed(this.place, signal);
  }

  /** Sessions at a vCenter are few. */
  async close(): Promise<void> {
    await this.place.api.logOut();
  }
}

const power = async () => await import("./power.ts");

export const driverModule = defineDriver<VsphereConfig, VimApi>(
  {
    name: driverName,
    summary: "A VM on VMware vSphere",
    flags: vsphereOptions.flags,
    sizeFlags,
    newKeys,
    pace,
    capabilities: { whenPoweredOff: "free" },
    newConfig,
    upgrade,
    configure: (config, options, { computer, machineDir }) => configure(config, options, computer, machineDir),
    openApi: (context, config) => new VimApi(context, config),
    parts: {
      preCreateCheck: async (place, signal) => await (await import("./check.ts")).checkBeforeCreate(place, signal),
      create: async (place, signal) => await (await import("./creation.ts")).createMachine(place, signal),
      remove: async (place, signal) => await (await import("./removal.ts")).removeMade(place, signal),
      start: async (place, signal) => await (await power()).powerOn(place, signal),
      stop: async (place, signal) => await (await power()).shutDown(place, signal),
      kill: async (place, signal) => await (await power()).powerOff(place, signal),
      restart: async (place, signal) => await (await power()).restart(place, signal),
      getState: async (place, signal) => await (await power()).lookAt(place, signal),
      locate: async (place, signal) => await (await import("./address.ts")).locate(place, signal),
      resize: async (place, change, signal) => await (await import("./resize.ts")).resizeVm(place, change, signal),
      console: async ({ context: { machineName }, config }) => {
        throw noConsole(machineName, `Its VM has no serial port. See its screen in vCenter (${config.IP}): Launch Web Console.`);
      },
      findResources: async (place, signal) => await (await import("./removal.ts")).findMade(place, signal),
    },
  },
  VsphereDriver,
);
