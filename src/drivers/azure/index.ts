/**
 * `azure`: machines that are virtual machines at Azure. What is asked, and what is made of the answers: `options.ts` the
 * record, `check.ts` what must hold before, `creation.ts` and `surroundings.ts`, `address.ts`, `power.ts` and `removal.ts`
 * the life of a machine, `api.ts` the resource manager.
 */
import { engineUrl } from "../../driver-kit/builtin-driver.ts";
import { DefinedDriver, defineDriver } from "../../driver-kit/defined-driver.ts";
import { locate } from "./address.ts";
import { AzureApi } from "./api.ts";
import { checkBeforeCreate } from "./check.ts";
import { createMachine } from "./creation.ts";
import { azureOptions, configure, newConfig, newKeys, upgrade, type AzureConfig } from "./options.ts";
import { kill, restart, start, stateOf, stop } from "./power.ts";
import { findMade, removeMade } from "./removal.ts";
import { chosenByAz } from "./subscription.ts";
import { pace } from "./workplace.ts";

class AzureDriver extends DefinedDriver<AzureConfig, AzureApi> {
  override async getUrl(): Promise<string> {
    const address = await this.getIp();
    return address === "" ? "" : engineUrl(address, this.config.DockerPort);
  }
}

export const driverModule = defineDriver<AzureConfig, AzureApi>(
  {
    name: "azure",
    summary: "A virtual machine at Microsoft Azure",
    flags: azureOptions.flags,
    newKeys,
    pace,
    capabilities: {
      perNameFlags: ["azure-private-ip-address", "azure-dns"],
      whenPoweredOff: "billed",
      foundByName: true,
    },
    newConfig,
    upgrade,
    configure: async (config, options, { computer }) => {
      const isGiven = options.string("azure-subscription-id") !== "";
      configure(config, options, computer, isGiven ? "" : await chosenByAz(computer));
    },
    openApi: (context, config) => new AzureApi(context, config),
    parts: {
      preCreateCheck: checkBeforeCreate,
      create: createMachine,
      remove: removeMade,
      start,
      stop,
      kill,
      restart,
      getState: stateOf,
      locate,
      findResources: findMade,
    },
  },
  AzureDriver,
);
