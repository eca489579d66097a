/** What stands in for the driver of a machine whose plugin is not installed. */
import type { Driver } from "../driver-kit/driver.ts";
import { MachineError } from "../errors/machine-error.ts";
import { pluginPrefix } from "./plugin-environment.ts";

/** `driver-not-found` in 0.16.2's words, for a driver that was asked for by name. */
export function driverNotFound(name: string): MachineError {
  const program = JSON.stringify(`${pluginPrefix}${name}`);
  return new MachineError(
    "driver-not-found",
    `Driver ${JSON.stringify(name)} not found. Do you have the plugin binary ${program} accessible in your PATH?`,
  );
}

/** Never to remove the record: it is what the plugin will know the instance by. */
function wayOut(name: string): string {
  const program = /[^/\\]*$/u.exec(name)?.[0] ?? "";
  if (program === name) return `Install ${pluginPrefix}${name} in a folder of PATH.`;
  const driver = program.startsWith(pluginPrefix) ? program.slice(pluginPrefix.length) : program;
  return `A record does not choose the program that is run: put ${pluginPrefix}${driver} into a folder of PATH, and ${JSON.stringify(driver)} for DriverName into config.json.`;
}

/**
 * The driver of a stored machine whose plugin is missing: `ls` shows it, `rm -f` drops it, all else says why not. The
 * configuration stays as it is, because the plugin may come back.
 */
export function missingDriver(name: string, config: string): Driver {
  const fail = async (): Promise<never> => {
    // 0.16.2 words this one differently.
    throw new MachineError(
      "driver-not-found",
      `Driver ${JSON.stringify(name)} not found. Do you have the plugin binary accessible in your PATH?`,
      {
        hint: wayOut(name),
      },
    );
  };
  return {
    driverName: "not-found",
    configText: async () => config,
    setConfigFromFlags: fail,
    preCreateCheck: fail,
    create: fail,
    remove: fail,
    start: fail,
    stop: fail,
    kill: fail,
    restart: fail,
    getState: fail,
    getIp: fail,
    getUrl: fail,
    getSshHostname: fail,
    getSshPort: fail,
    getSshUsername: fail,
    getSshKeyPath: fail,
  };
}
