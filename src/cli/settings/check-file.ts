/** `config.yml` of this computer's user, read and checked as a whole. */
import type { Computer } from "../../system/computer.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { checkSettings } from "./check-settings.ts";
import { readSettings } from "./create-settings.ts";
import { settingsFileOf } from "./settings-place.ts";
import type { Settings } from "./settings.ts";

/** Where the settings are. Throws `store-unusable` where no home is known. */
export function requireSettingsFile(computer: Computer): string {
  const file = settingsFileOf(computer);
  if (file !== undefined) return file;
  const variable = computer.os === "windows" ? "APPDATA" : "XDG_CONFIG_HOME or HOME";
  throw new MachineError("store-unusable", `No folder for settings is known: ${variable} is not set`);
}

/** The settings, or undefined where there is no file. Throws `settings-invalid`. */
export async function checkSettingsFile(computer: Computer): Promise<Settings | undefined> {
  const file = requireSettingsFile(computer);
  const settings = await readSettings(computer);
  if (settings === undefined) return undefined;
  const { flagsOfDriver, ownerOfFlag } = await import("../../assembly/driver-catalog.ts");
  await checkSettings(settings, file, {
    driverFlags: async (name) => await flagsOfDriver(name, computer),
    ownerOf: async (flag) => await ownerOfFlag(flag, computer),
  });
  return settings;
}
