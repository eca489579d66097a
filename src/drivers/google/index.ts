/**
 * `google`: machines that are instances of Compute Engine. What is asked, and what is made of the answers: `options.ts` and
 * `records.ts` the record, `check.ts` what must hold before, `creation.ts`, `adoption.ts`, `location.ts`, `power.ts` and
 * `removal.ts` the life of an instance.
 */
import { setLifetime } from "./lifetime.ts";
import { DefinedDriver, defineDriver } from "../../driver-kit/defined-driver.ts";
import { adoptInstance } from "./adoption.ts";
import { ComputeApi } from "./api.ts";
import { checkBeforeCreate } from "./check.ts";
import { createInstance } from "./creation.ts";
import { withdrawUserData } from "./guest.ts";
import { locate } from "./location.ts";
import { configure, googleOptions, newConfig, newKeys, type GoogleConfig } from "./options.ts";
import { restartInstance, startInstance, stateOf, stopInstance } from "./power.ts";
import { upgrade } from "./records.ts";
import { findMade, removeMade } from "./removal.ts";
import { pace } from "./workplace.ts";

class GoogleDriver extends DefinedDriver<GoogleConfig, ComputeApi> {
  /** What the guest made itself is nobody else's. */
  override get hostKeysExposed(): boolean {
    return this.config.KeysInUserData && super.hostKeysExposed;
  }

  async withdrawSecrets(signal: AbortSignal): Promise<void> {
    await withdrawUserData(this.place, signal);
  }
}

export const driverModule = defineDriver<GoogleConfig, ComputeApi>(
  {
    name: "google",
    summary: "An instance of Google Compute Engine",
    flags: googleOptions.flags,
    newKeys,
    pace,
    capabilities: { perNameFlags: ["google-address"], whenPoweredOff: "free", foundByName: true },
    newConfig,
    upgrade,
    configure: (config, options, { computer }) => configure(config, options, computer),
    openApi: (context, config) => new ComputeApi(context, config),
    parts: {
      preCreateCheck: checkBeforeCreate,
      create: async (place, signal) => await (place.config.UseExisting ? adoptInstance : createInstance)(place, signal),
      remove: removeMade,
      start: startInstance,
      stop: stopInstance,
      kill: async (place, signal) => await stopInstance(place, signal, true),
      restart: restartInstance,
      getState: stateOf,
      locate,
      findResources: findMade,
      setLifetime,
    },
  },
  GoogleDriver,
);
