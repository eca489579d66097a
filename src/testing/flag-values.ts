/** The create flags of a module as the command line would have them, where some are given. */
import { defaultValue, driverOptions, type DriverOptions, type FlagValue } from "../driver-kit/create-flag.ts";
import type { DriverModule } from "../driver-kit/driver.ts";

export function optionsOf(module: DriverModule, given: Readonly<Record<string, FlagValue>>): DriverOptions {
  const defaults = Object.fromEntries(module.flags.map((flag) => [flag.name, defaultValue(flag)]));
  return driverOptions({ ...defaults, ...given }, new Set(Object.keys(given)));
}
