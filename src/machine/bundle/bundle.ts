/** Machines on their way to another store, as one text: their records with portable paths, and the files that are theirs. Pure. */
import { MachineError } from "../../errors/machine-error.ts";
import { keptFileName } from "../../store/paths.ts";
import { vaultFileName } from "../secrets/vault.ts";

export interface BundledMachine {
  readonly name: string;
  /** config.json, whose paths begin with `{{store}}`. */
  readonly record: string;
  /** Further files of the machine's folder, by name. */
  readonly files: Readonly<Record<string, string>>;
}

/** PEM texts. Who has the key can make certificates that every machine of the store believes. */
export interface BundledAuthority {
  readonly certificate: string;
  readonly key: string;
}

export interface Bundle {
  readonly machines: readonly BundledMachine[];
  readonly authority?: BundledAuthority | undefined;
}

/** Those of a machine's files that are JSON beside its record: paths may stand in them. */
export const jsonFiles: ReadonlySet<string> = new Set([keptFileName, vaultFileName]);

const kind = "docker-machine bundle 1";

export function formatBundle(bundle: Bundle): string {
  return JSON.stringify({ kind, ...bundle });
}

/** Throws `bundle-unusable` for what is none, or one of a later version. */
export function parseBundle(text: string): Bundle {
  const value = parse(text);
  if (value?.["kind"] !== kind) throw notOurs(value?.["kind"]);
  const { machines, authority } = value;
  if (!Array.isArray(machines) || !machines.every(isMachine)) throw unusable("The bundle is damaged");
  if (authority !== undefined && !isTexts(authority)) throw unusable("The bundle is damaged");
  return { machines, authority: authority as BundledAuthority | undefined };
}

function notOurs(found: unknown): MachineError {
  const isLater = typeof found === "string" && /^docker-machine bundle \d+$/u.test(found);
  return isLater
    ? unusable("The bundle was made by a newer docker-machine", "Update docker-machine here.")
    : unusable("The file was sealed by age, and is no bundle of machines", "docker-machine export NAME makes one.");
}

export function unusable(message: string, hint?: string): MachineError {
  return new MachineError("bundle-unusable", message, { hint });
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

/** No file of a bundle leaves the machine's folder. */
function isMachine(value: unknown): value is BundledMachine {
  if (typeof value !== "object" || value === null) return false;
  const { name, record, files } = value as Partial<Record<keyof BundledMachine, unknown>>;
  if (typeof name !== "string" || typeof record !== "string" || !isTexts(files)) return false;
  return Object.keys(files).every((file) => /^[\w][\w.-]*$/u.test(file));
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === "object" && value !== null && Object.values(value).every((text) => typeof text === "string");
}
