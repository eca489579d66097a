/**
 * `amazonec2`: machines that are EC2 instances. What is asked, and what is made of the answers: `options.ts` the record,
 * `check.ts` what must hold before, `creation.ts`, `state.ts`, `power.ts` and `removal.ts` the life of an instance. AWS's
 * SDK is loaded with the first request (`api.ts`).
 */
import { defineDriver } from "../../driver-kit/defined-driver.ts";
import { Ec2Api } from "./api.ts";
import { checkBeforeCreate } from "./check.ts";
import { createInstance } from "./creation.ts";
import { upgrade } from "./old-records.ts";
import { amazonec2Flags, configure, newConfig, newKeys, type Amazonec2Config } from "./options.ts";
import { restartInstance, setLifetime, startInstance, stopInstance } from "./power.ts";
import { findMade, removeMade } from "./removal.ts";
import { locate, stateOf } from "./state.ts";
import { pace } from "./workplace.ts";

export const driverModule = defineDriver<Amazonec2Config, Ec2Api>({
  name: "amazonec2",
  summary: "An instance of Amazon EC2",
  flags: amazonec2Flags,
  newKeys,
  pace,
  capabilities: { whenPoweredOff: "free" },
  newConfig,
  upgrade,
  configure,
  openApi: (context, config) => new Ec2Api(context, config),
  parts: {
    preCreateCheck: checkBeforeCreate,
    create: createInstance,
    remove: removeMade,
    start: startInstance,
    stop: async (place, signal) => await stopInstance(place, false, signal),
    kill: async (place, signal) => await stopInstance(place, true, signal),
    restart: restartInstance,
    getState: stateOf,
    locate,
    findResources: findMade,
    setLifetime,
  },
});
