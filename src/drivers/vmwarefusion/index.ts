/**
 * `vmwarefusion`: virtual machines of VMware Fusion on macOS, and of Workstation on Linux and Windows. What is asked of
 * VMware's programs, and what is made of the answers: `programs.ts` the way there, `vmx.ts` a machine's description,
 * `options.ts` the record, `check.ts` what must hold before, `creation.ts`, `state.ts`, `power.ts`, `address.ts` and
 * `removal.ts` the life of a machine.
 */
import * as path from "node:path";
import { DefinedDriver, defineDriver } from "../../driver-kit/defined-driver.ts";
import { readConsoleLog } from "../../driver-kit/console-log.ts";
import { locate } from "./address.ts";
import { checkBeforeCreate } from "./check.ts";
import { createMachine } from "./creation.ts";
import { configure, fusionOptions, newConfig, newKeys, upgrade, type FusionConfig } from "./options.ts";
import { killMachine, restartMachine, startMachine, stopMachine } from "./power.ts";
import { openPrograms, type VmwarePrograms } from "./programs.ts";
import { findMade, removeMachine } from "./removal.ts";
import { resizeMachine, sizeFlags } from "./resize.ts";
import { stateOf } from "./state.ts";
import { consoleFile } from "./vmx.ts";

class FusionDriver extends DefinedDriver<FusionConfig, VmwarePrograms> {
  get addressHint(): string {
    const log = path.join(this.context.machineDir, consoleFile);
    return `Its console is in ${log}; look whether VMware's network ${this.config.NetworkType} gives out addresses, and restart its services if it does not. Then run the command again.`;
  }
}

export const driverModule = defineDriver<FusionConfig, VmwarePrograms>(
  {
    name: "vmwarefusion",
    summary: "A virtual machine on this computer, by VMware Fusion or Workstation",
    flags: fusionOptions.flags,
    sizeFlags,
    newKeys,
    pace: { firstMs: 500, mostMs: 2_000 },
    capabilities: { onThisComputer: true, foundByName: true, whenPoweredOff: "free" },
    newConfig,
    upgrade,
    configure: (config, options, { computer, machineDir }) => configure(config, options, computer, machineDir),
    openApi: openPrograms,
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
      console: async ({ context: { machineDir, machineName } }) =>
        await readConsoleLog(
          path.join(machineDir, consoleFile),
          machineName,
          "It is written from the machine's first start on, unless Docker Machine 0.16.2 made it: see its screen in VMware's window then.",
        ),
    },
  },
  FusionDriver,
);
