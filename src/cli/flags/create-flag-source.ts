/** The flags of `create` for the driver that is meant, and what the user's settings say of them. */
import { isMachineError } from "../../errors/machine-error.ts";
import type { FlagValue } from "../../driver-kit/create-flag.ts";
import type { Computer } from "../../system/computer.ts";
import { compatDefaultDriverName, defaultDriverName, mergeCreateFlags, sharedCreateFlagsFor } from "../create/shared-flags.ts";
import type { MainContext } from "../main-context.ts";
import type { CreateSettings } from "../settings/settings.ts";
import type { CliFlag } from "./flag.ts";
import { findDriverName, findProfileName } from "./driver-name.ts";

export interface CreateFlags {
  readonly flags: readonly CliFlag[];
  /** Values for flags that are given neither by words nor by the environment. */
  readonly settings: ReadonlyMap<string, FlagValue>;
}

/**
 * Throws `driver-not-found` for a driver that was asked for; the default one may be missing, so that help still works.
 * Throws `settings-invalid`; with MACHINE_COMPAT there are no settings.
 */
export async function createFlagsFor(
  words: readonly string[],
  computer: Computer,
  compat: boolean,
  { driverFlags, ownerOfFlag }: Pick<MainContext, "driverFlags" | "ownerOfFlag">,
): Promise<CreateFlags> {
  const shared = sharedCreateFlagsFor(compat);
  const wanted = compat ? undefined : await settingsOf(findProfileName(words, shared, computer.env), computer);
  const asked = findDriverName(words, shared, computer.env) ?? wanted?.driver?.value;
  const ofDriver = await driverFlags(asked ?? (compat ? compatDefaultDriverName : defaultDriverName), computer).catch(
    (error: unknown) => {
      if (asked === undefined && isMachineError(error, "driver-not-found")) return [];
      throw error;
    },
  );
  const flags = mergeCreateFlags(shared, ofDriver);
  if (wanted === undefined) return { flags, settings: new Map() };
  const { flagValues } = await import("../settings/create-settings.ts");
  const values = await flagValues(wanted, flags, async (flag) => await ownerOfFlag(flag, computer));
  const driver: [string, FlagValue][] = wanted.driver === undefined ? [] : [["driver", wanted.driver.value]];
  return { flags, settings: new Map([...values, ...driver]) };
}

async function settingsOf(profile: string | undefined, computer: Computer): Promise<CreateSettings | undefined> {
  const { readSettings, settingsFor } = await import("../settings/create-settings.ts");
  const { settingsFileOf } = await import("../settings/settings-place.ts");
  return settingsFor(await readSettings(computer), profile ?? "", settingsFileOf(computer) ?? "config.yml");
}
