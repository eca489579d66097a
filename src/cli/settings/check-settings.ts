/** Looks at all of `config.yml` at once: each scope with the flags of the driver that it is for. */
import { MachineError } from "../../errors/machine-error.ts";
import type { CreateFlag } from "../../driver-kit/create-flag.ts";
import { defaultDriverName, mergeCreateFlags, sharedCreateFlags } from "../create/shared-flags.ts";
import { parseFlags } from "../flags/parse-flags.ts";
import { flagValues, settingsFor, type FlagOwner } from "./create-settings.ts";
import { invalid, type Settings } from "./settings.ts";

export interface CheckSources {
  driverFlags(driverName: string): Promise<readonly CreateFlag[]>;
  readonly ownerOf: FlagOwner;
}

/** Throws `settings-invalid` for the first thing that a create would refuse; in a profile, what is of another driver too. */
export async function checkSettings(settings: Settings, file: string, sources: CheckSources): Promise<void> {
  for (const profile of ["", ...settings.profiles.keys()]) await checkScope(settings, profile, file, sources);
}

async function checkScope(settings: Settings, profile: string, file: string, sources: CheckSources): Promise<void> {
  const scope = settingsFor(settings, profile, file);
  if (scope === undefined) return;
  const driverName = scope.driver?.value ?? defaultDriverName;
  const flags = mergeCreateFlags(sharedCreateFlags, await flagsOf(driverName, scope.driver?.place, sources));
  const values = await flagValues(scope, flags, sources.ownerOf);
  try {
    parseFlags([], flags, {}, "anywhere", values);
  } catch (error) {
    const [name] = [...values.keys()].filter((each) => (error as Error).message.includes(`-${each}:`));
    const place = scope.create.get(name ?? "")?.place ?? file;
    throw invalid(place, (error as Error).message, (error as MachineError).hint);
  }
  const own = settings.profiles.get(profile);
  // One without a driver of its own may be used with any.
  if (own?.driver === undefined) return;
  for (const [name, { place }] of own.create) {
    if (values.has(name)) continue;
    throw invalid(place, `--${name} is of the driver ${await sources.ownerOf(name)}, and the profile is for ${driverName}`);
  }
}

async function flagsOf(driverName: string, place: string | undefined, sources: CheckSources): Promise<readonly CreateFlag[]> {
  try {
    return await sources.driverFlags(driverName);
  } catch (error) {
    if (!(error instanceof MachineError) || place === undefined) throw error;
    throw invalid(place, error.message, error.hint);
  }
}
