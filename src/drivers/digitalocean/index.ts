/**
 * `digitalocean`: machines that are droplets. What is asked, and what is made of the answers: `options.ts` the record,
 * `check.ts` what must hold before, `creation.ts`, `state.ts`, `power.ts` and `removal.ts` the life of a droplet.
 */
import { defineDriver } from "../../driver-kit/defined-driver.ts";
import { DigitalOceanApi } from "./api.ts";
import { checkBeforeCreate } from "./check.ts";
import { createDroplet } from "./creation.ts";
import { configure, digitalOceanOptions, newConfig, newKeys, upgrade, type DigitalOceanConfig } from "./options.ts";
import { power, stop } from "./power.ts";
import { findMade, removeMade } from "./removal.ts";
import { locate, stateOf } from "./state.ts";
import { pace } from "./workplace.ts";

export const driverModule = defineDriver<DigitalOceanConfig, DigitalOceanApi>({
  name: "digitalocean",
  summary: "A droplet at DigitalOcean",
  flags: digitalOceanOptions.flags,
  newKeys,
  pace,
  capabilities: { whenPoweredOff: "billed" },
  newConfig,
  upgrade,
  configure: (config, options, { computer }) => configure(config, options, computer),
  openApi: (context, config) => new DigitalOceanApi(context, config),
  parts: {
    preCreateCheck: checkBeforeCreate,
    create: createDroplet,
    remove: removeMade,
    start: async (place, signal) => await power(place, "power_on", signal),
    stop,
    kill: async (place, signal) => await power(place, "power_off", signal),
    restart: async (place, signal) => await power(place, "reboot", signal),
    getState: stateOf,
    locate,
    findResources: findMade,
  },
});
