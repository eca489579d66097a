/** The names that an entry of a fleet's file is for: one, or a range such as `web-[1-3]`, `web-{1..3}` or `build-{a,b}`. Pure. */
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { expandNames, requireValidName } from "../../machine/names.ts";
import type { Place } from "../../system/yaml-text.ts";
import { invalid } from "./complaint.ts";

/** Whether an entry is for a range, be it of one. */
export function isRange(key: string): boolean {
  return /[[{]/u.test(key);
}

/** Throws `fleet-invalid` for what is no name of a machine. */
export function namesOf(key: string, place: Place): readonly string[] {
  try {
    const names = expandRanges([key]);
    for (const name of names) requireValidName(name, "");
    return names;
  } catch (error) {
    if (!isMachineError(error)) throw error;
    const hint = isRange(key) ? "A range is web-[1-3], web-{1..3} or build-{a,b}." : error.hint;
    throw invalid(place, `"${key}" names no machines: ${lowerFirst(error.message)}`, hint);
  }
}

/** The names that a person means, ranges spelled as in the file and as `plan` prints them. Throws `usage` for what is no range. */
export function expandRanges(patterns: readonly string[]): string[] {
  return expandNames(patterns.flatMap(bracesFor));
}

/** `[1-3,7]` as the braces that `create` takes: a list of them, because a brace holds one range. */
function bracesFor(key: string): string[] {
  const found = /\[([^[\]{}]*)\]/u.exec(key);
  if (found === null) return [key];
  const [whole, inner = ""] = found;
  const before = key.slice(0, found.index);
  const after = key.slice(found.index + whole.length);
  return inner.split(",").flatMap((part) => {
    const range = /^(\d+)-(\d+)$/u.exec(part.trim());
    if (range === null && !/^[a-zA-Z0-9]+$/u.test(part.trim())) throw new MachineError("usage", `${whole} is no range`);
    return bracesFor(`${before}${range === null ? part.trim() : `{${range[1]}..${range[2]}}`}${after}`);
  });
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
