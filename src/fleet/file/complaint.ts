/** How what is wrong in a fleet's file is said: with line and column, and what may have been meant. */
import { MachineError } from "../../errors/machine-error.ts";
import { didYouMean } from "../../errors/nearest.ts";
import { entriesOf, type Place, type Written, type WrittenEntry } from "../../system/yaml-text.ts";

export function invalid(place: Place, problem: string, hint?: string): MachineError {
  return new MachineError("fleet-invalid", `${place}: ${problem}`, { hint });
}

export function unknownKey({ key, place }: WrittenEntry, what: string, known: readonly string[]): MachineError {
  const list = known.length > 12 ? undefined : `It has ${known.join(", ")}.`;
  return invalid(place, `${what} has no key "${key}"`, didYouMean(key, known) ?? list);
}

/** Keys of which nothing is read: a place for what anchors name. */
export function isPrivateKey(key: string): boolean {
  return key.startsWith("x-");
}

/** The entries of a mapping with a closed set of keys. */
export function knownEntries(written: Written, what: string, known: readonly string[]): ReadonlyMap<string, WrittenEntry> {
  const entries = entriesOf(written, what, invalid).filter(({ key }) => !isPrivateKey(key));
  for (const entry of entries) if (!known.includes(entry.key)) throw unknownKey(entry, what, known);
  return new Map(entries.map((entry) => [entry.key, entry]));
}
