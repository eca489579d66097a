/**
 * `config.yml`: what a person wants of every `create`, and profiles for several kinds of machines. Its values are create
 * flags in their own words, without dashes. Read here as text; whether the flags exist is another file's question.
 */
import type { FlagValue } from "../../driver-kit/create-flag.ts";
import { MachineError } from "../../errors/machine-error.ts";
import { didYouMean } from "../../errors/nearest.ts";
import type { Document, Node, Pair, YAMLMap } from "yaml";

/** Where something stands: `/home/me/.config/docker-machine/config.yml:3:5`. */
type Place = string;

export interface SettingValue {
  readonly value: FlagValue;
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
  const { parseDocument, LineCounter, isMap, isScalar, isSeq } = await import("yaml");
  const lines = new LineCounter();
  const document: Document = parseDocument(text, { lineCounter: lines, prettyErrors: false });

  const placeOf = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const at = (node: unknown): Place => placeOf((node as Node | null)?.range?.[0] ?? 0);
  const [broken] = document.errors;
  if (broken !== undefined) {
    const problem = broken.code === "MULTIPLE_DOCS" ? "a second document begins here" : `this is no YAML: ${broken.message}`;
    throw invalid(placeOf(broken.pos[0]), problem);
  }

  const entriesOf = (node: unknown, what: string, known?: readonly string[]): [string, unknown, Place][] => {
    if (node === null || (isScalar(node) && node.value === null)) return [];
    if (!isMap(node)) throw invalid(at(node), `${what} is no mapping of names to values`);
    return (node as YAMLMap).items.map(({ key, value }: Pair) => {
      const name = isScalar(key) ? String(key.value) : "";
      if (known !== undefined && !known.includes(name))
        throw invalid(at(key), `${what} has no key "${name}"`, unknownKeyHint(name, known));
      return [name, value, at(key)];
    });
  };

  const readValue = (name: string, node: unknown): FlagValue => {
    if (isSeq(node)) return node.items.map((item) => readText(name, item));
    const value: unknown = isScalar(node) ? node.value : undefined;
    if (typeof value === "string" || typeof value === "boolean") return value;
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    throw invalid(at(node), `the value of ${name} is no text, whole number, true, false or list`, quoteHint);
  };

  const readText = (name: string, node: unknown): string => {
    const value: unknown = isScalar(node) ? node.value : undefined;
    if (typeof value === "string") return value;
    throw invalid(at(node), `the value of ${name} is no text`, quoteHint);
  };

  const readScope = (entries: readonly [string, unknown, Place][]): CreateSettings => {
    const of = (key: string): unknown => entries.find(([name]) => name === key)?.[1] ?? null;
    const driver = of("driver");
    return {
      driver: driver === null ? undefined : { value: readText("driver", driver), place: at(driver) },
      create: new Map(
        entriesOf(of("create"), "create").map(([name, value, place]) => [name, { value: readValue(name, value), place }]),
      ),
    };
  };

  const top = entriesOf(document.contents, "the file", topKeys);
  const profiles = entriesOf(top.find(([name]) => name === "profiles")?.[1] ?? null, "profiles").map(([name, value, place]) => {
    if (name === "") throw invalid(place, "a profile has no name");
    return [name, readScope(entriesOf(value, `the profile ${name}`, scopeKeys))] as const;
  });
  return { ...readScope(top), profiles: new Map(profiles) };
}

function unknownKeyHint(name: string, known: readonly string[]): string {
  return didYouMean(name, known) ?? `It has ${known.join(", ")}. Flags of create stand below create.`;
}

const quoteHint = 'Put text into quotes: "1.10" is a version, 1.10 a number.';

export function invalid(place: Place, problem: string, hint?: string): MachineError {
  return new MachineError("settings-invalid", `${place}: ${problem}`, { hint });
}
