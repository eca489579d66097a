/**
 * What `config.yml` says of one `create`: its driver, and a value for each flag that neither the command line nor the
 * environment gives. A profile weighs more than what is wanted of every create.
 */
import type { CreateFlag, FlagValue } from "../../driver-kit/create-flag.ts";
import { writtenFlagValue } from "../../driver-kit/written-flag.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { didYouMean } from "../../errors/nearest.ts";
import type { Computer } from "../../system/computer.ts";
import { readRegularFileIfExists } from "../../system/files.ts";
import type { CliFlag } from "../flags/flag.ts";
import { meantFlag } from "../flags/meant-flag.ts";
import { settingsFileOf } from "./settings-place.ts";
import { invalid, parseSettings, type CreateSettings, type Settings, type SettingValue } from "./settings.ts";

/** The settings of this computer's user, none where there is no file. Throws `settings-invalid`, `store-unusable`. */
export async function readSettings(computer: Computer): Promise<Settings | undefined> {
  const file = settingsFileOf(computer);
  const bytes = file === undefined ? undefined : await readRegularFileIfExists(file);
  return file === undefined || bytes === undefined ? undefined : await parseSettings(bytes.toString("utf8"), file);
}

/** @param profile "" for none. Throws `settings-invalid` for a profile that there is not. */
export function settingsFor(settings: Settings | undefined, profile: string, file: string): CreateSettings | undefined {
  if (profile === "") return settings;
  const chosen = settings?.profiles.get(profile);
  if (settings === undefined) {
    throw new MachineError("settings-invalid", `There is no profile "${profile}": ${file} does not exist`, { hint: toEdit });
  }
  if (chosen === undefined) throw noProfile(profile, [...settings.profiles.keys()], file);
  return { driver: chosen.driver ?? settings.driver, create: new Map([...settings.create, ...chosen.create]) };
}

const toEdit = "Profiles are made with: docker-machine settings edit";

function noProfile(profile: string, names: readonly string[], file: string): MachineError {
  const hint = names.length === 0 ? `It has no profiles. ${toEdit}` : `It has ${names.join(", ")}.`;
  return new MachineError("settings-invalid", `${file} has no profile "${profile}"`, {
    hint: didYouMean(profile, names) ?? hint,
  });
}

/** Who else has a flag: the name of a driver, or undefined. */
export type FlagOwner = (flag: string) => Promise<string | undefined>;

/**
 * The values for the flags of this create. What is of another driver is passed over: settings are for all of them.
 * Throws `settings-invalid` for a flag that no driver has, a value that will not do, and a secret in plain text.
 */
export async function flagValues(
  settings: CreateSettings,
  flags: readonly CliFlag[],
  ownerOf: FlagOwner,
): Promise<ReadonlyMap<string, FlagValue>> {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const values = new Map<string, FlagValue>();
  for (const [name, setting] of settings.create) {
    const flag = byName.get(name);
    if (flag !== undefined) values.set(name, valueFor(flag, setting));
    else if ((await ownerOf(name)) === undefined) throw unknownFlag(name, setting, [...byName.keys()]);
  }
  return values;
}

const driverHint = "The driver is a key beside create: driver: NAME";
const notForFiles = new Set(["driver", "profile", "dry-run", "help"]);

function unknownFlag(name: string, { place }: SettingValue, names: readonly string[]): MachineError {
  const hint = name === "d" ? driverHint : meantFlag(name, names, (found) => found);
  return invalid(place, `no driver here has a create flag --${name}`, hint);
}

function valueFor(flag: CreateFlag, { value, place }: SettingValue): FlagValue {
  if (notForFiles.has(flag.name)) {
    const hint = flag.name === "driver" ? driverHint : undefined;
    throw invalid(place, `--${flag.name} is given on the command line, not here`, hint);
  }
  const read = writtenFlagValue(flag, value);
  if (!read.ok) throw invalid(place, read.problem, read.hint);
  return read.value;
}
