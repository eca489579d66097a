/**
 * `config.yml`: what a person wants of every `create`, and profiles for several kinds of machines. Its values are create
 * flags in their own words, without dashes. Read here as text; whether the flags exist is another file's question.
 */
import { MachineError } from "../../errors/machine-error.ts";
import { didYouMean } from "../../errors/nearest.ts";
import { entriesOf, isNothing, parseYaml, textOf, type Place, type Written, type WrittenEntry } from "../../system/yaml-text.ts";

export interface SettingValue {
  readonly value: Written;
  /** Of the flag's name. */
  readonly place: Place;
}

/** What is wanted of a create, by the names of flags. */
export interface CreateSettings {
  readonly driver: { readonly value: string; readonly place: Place } | undefined;
  readonly create: ReadonlyMap<string, SettingValue>;
}

export interface Settings extends CreateSettings {
  readonly profiles: ReadonlyMap<string, CreateSettings>;
}

const scopeKeys = ["driver", "create"];
const topKeys = [...scopeKeys, "profiles"];

/** @param file its name, for messages. Throws `settings-invalid` with line and column. */
export async function parseSettings(text: string, file: string): Promise<Settings> {
  const top = knownEntries(await parseYaml(text, file, invalid), "the file", topKeys);
  const profiles = top.find(({ key }) => key === "profiles")?.value;
  const named = profiles === undefined ? [] : entriesOf(profiles, "profiles", invalid);
  return {
    ...readScope(top),
    profiles: new Map(
      named.map(({ key, value, place }) => {
        if (key === "") throw invalid(place, "a profile has no name");
        return [key, readScope(knownEntries(value, `the profile ${key}`, scopeKeys))] as const;
      }),
    ),
  };
}

function knownEntries(written: Written, what: string, known: readonly string[]): readonly WrittenEntry[] {
  const entries = entriesOf(written, what, invalid);
  const strange = entries.find(({ key }) => !known.includes(key));
  if (strange === undefined) return entries;
  const { key, place } = strange;
  throw invalid(place, `${what} has no key "${key}"`, unknownKeyHint(key, known));
}

function readScope(entries: readonly WrittenEntry[]): CreateSettings {
  const of = (name: string): Written | undefined => entries.find(({ key }) => key === name)?.value;
  const driver = of("driver");
  const create = of("create");
  return {
    driver:
      driver === undefined || isNothing(driver) ? undefined : { value: textOf(driver, "driver", invalid), place: driver.place },
    create: new Map(
      (create === undefined ? [] : entriesOf(create, "create", invalid)).map(({ key, value, place }) => [key, { value, place }]),
    ),
  };
}

function unknownKeyHint(name: string, known: readonly string[]): string {
  return didYouMean(name, known) ?? `It has ${known.join(", ")}. Flags of create stand below create.`;
}

export function invalid(place: Place, problem: string, hint?: string): MachineError {
  return new MachineError("settings-invalid", `${place}: ${problem}`, { hint });
}
