/**
 * `openstack`: machines that are instances of an OpenStack cloud. The record is in `options.ts`; who asks, and where, in
 * `cloud-file.ts`, `identity.ts`, `session.ts` and `api.ts`; what must hold before in `check.ts`; and the life of an
 * instance in `creation.ts`, `state.ts`, `power.ts` and `removal.ts`.
 */
import { defineDriver } from "../../driver-kit/defined-driver.ts";
import { OpenStackApi } from "./api.ts";
import { checkBeforeCreate } from "./check.ts";
import { createServer } from "./creation.ts";
import { configure, newConfig, newKeys, openStackOptions, upgrade, type OpenStackConfig } from "./options.ts";
import { kill, restart, start, stop } from "./power.ts";
import { findMade, removeMade } from "./removal.ts";
import { locate, stateOf } from "./state.ts";
import { pace } from "./workplace.ts";

export const driverModule = defineDriver<OpenStackConfig, OpenStackApi>({
  name: "openstack",
  summary: "An instance of an OpenStack cloud",
  flags: openStackOptions.flags,
  newKeys,
  pace,
  capabilities: { whenPoweredOff: "billed" },
  newConfig,
  upgrade,
  configure: async (config, options, { computer }) => await configure(config, options, computer),
  openApi: (context, config) => new OpenStackApi(context, config),
  parts: {
    preCreateCheck: checkBeforeCreate,
    create: createServer,
    remove: removeMade,
    start,
    stop,
    kill,
    restart,
    getState: stateOf,
    locate,
    findResources: findMade,
  },
});
