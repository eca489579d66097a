/**
 * `hyperv`: virtual machines of Windows' own hypervisor, managed by PowerShell. What is asked of it, and what is made of its
 * answers: `script.ts` and `powershell.ts` the way there, `options.ts` the record, `check.ts` what must hold before,
 * `creation.ts`, `state.ts`, `power.ts`, `address.ts` and `removal.ts` the life of a machine.
 */
import { DefinedDriver, defineDriver } from "../../driver-kit/defined-driver.ts";
import { noConsole } from "../../driver-kit/console-log.ts";
import { locate } from "./address.ts";
import { checkBeforeCreate } from "./check.ts";
import { createMachine } from "./creation.ts";
import { configure, hypervOptions, newConfig, newKeys, upgrade, type HypervConfig } from "./options.ts";
import { killMachine, restartMachine, startMachine, stopMachine } from "./power.ts";
import { PowerShell } from "./powershell.ts";
import { findMade, removeMachine } from "./removal.ts";
import { resizeMachine, sizeFlags } from "./resize.ts";
import { stateOf } from "./state.ts";

class HypervDriver extends DefinedDriver<HypervConfig, PowerShell> {
  get addressHint(): string {
    const { VSwitch, MachineName } = this.config;
    return `Look at its screen (vmconnect localhost ${MachineName}), and whether addresses are given out on the switch ${JSON.stringify(VSwitch)}; a VPN may keep them back. Then run the command again.`;
  }
}

export const driverModule = defineDriver<HypervConfig, PowerShell>(
  {
    name: "hyperv",
    summary: "A virtual machine on this computer, by Hyper-V",
    flags: hypervOptions.flags,
    sizeFlags,
    newKeys,
    // A process of PowerShell for each question.
    pace: { firstMs: 1_000, mostMs: 4_000 },
    capabilities: { onThisComputer: true, foundByName: true, whenPoweredOff: "free" },
    newConfig,
    upgrade,
    configure: (config, options, { computer }) => configure(config, options, computer),
    openApi: (context) => new PowerShell(context),
    parts: {
      preCreateCheck: checkBeforeCreate,
      create: createMachine,
      remove: removeMachine,
      start: startMachine,
      stop: stopMachine,
      kill: killMachine,
      restart: restartMachine,
      getState: stateOf,
      locate,
      findResources: findMade,
      resize: resizeMachine,
      console: async ({ context: { machineName } }) => {
        throw noConsole(machineName, `Hyper-V writes none to a file. See its screen: vmconnect localhost ${machineName}`);
      },
    },
  },
  HypervDriver,
);
