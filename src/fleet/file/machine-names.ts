/** The names that an entry of a fleet's file is for: one, or a range such as `web-[1-3]`, `web-{1..3}` or `build-{a,b}`. Pure. */
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { requireValidName } from "../../machine/names.ts";
import type { Place } from "../../system/yaml-text.ts";
import { invalid } from "./complaint.ts";

/** In one file, and so in one command about it. */
export const mostMachines = 5_000;

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
    const ofRange = isMachineError(error, "usage") ? (error.hint ?? rangeHint) : rangeHint;
    throw invalid(place, `"${key}" names no machines: ${lowerFirst(error.message)}`, isRange(key) ? ofRange : error.hint);
  }
}

const rangeHint = "A range is web-[1-3], web-{1..3} or build-{a,b}.";

/** The names that a person means, ranges spelled as in the file and as `plan` prints them. Throws `usage` for what is no range. */
export function expandRanges(patterns: readonly string[]): string[] {
  const names = new Set<string>();
  for (const name of patterns.flatMap(expanded)) {
    if (names.has(name)) throw new MachineError("usage", `The machine name "${name}" is given twice`);
    names.add(name);
  }
  return [...names];
}

function expanded(pattern: string): string[] {
  const found = /\[([^[\]{}]*)\]|\{([^{}]*(?:,|\.\.)[^{}]*)\}/u.exec(pattern);
  if (found === null) return [pattern];
  const [whole, inBrackets, inBraces = ""] = found;
  const choices = inBrackets === undefined ? choicesInBraces(whole, inBraces) : choicesInBrackets(whole, inBrackets);
  const before = pattern.slice(0, found.index);
  const after = pattern.slice(found.index + whole.length);
  const names: string[] = [];
  for (const choice of choices) {
    names.push(...expanded(`${before}${choice}${after}`));
    if (names.length > mostMachines) throw tooMany(pattern);
  }
  return names;
}

/** `a,b` or `1..3`. */
function choicesInBraces(whole: string, inner: string): readonly string[] {
  const range = /^(\d+)\.\.(\d+)$/u.exec(inner);
  if (range !== null) return numbers(range, "..");
  if (inner.includes("..")) throw noRange(whole);
  return inner.split(",");
}

/** `1-3,7`. */
function choicesInBrackets(whole: string, inner: string): readonly string[] {
  return inner.split(",").flatMap((each) => {
    const part = each.trim();
    const range = /^(\d+)-(\d+)$/u.exec(part);
    if (range !== null) return numbers(range, "-");
    if (/^[a-zA-Z0-9]+$/u.test(part)) return [part];
    throw noRange(whole);
  });
}

function noRange(whole: string): MachineError {
  const letters = /[a-z](?:-|\.\.)[a-z]/iu.test(whole);
  return new MachineError("usage", `${whole} is no range`, {
    hint: letters ? "Letters are named one by one, as in {a,b,c}." : rangeHint,
  });
}

/** From the first to the last, as wide as they are written where they begin with zeros. */
function numbers([whole, first = "", last = ""]: readonly string[], between: string): readonly string[] {
  const isPadded = [first, last].some((text) => /^0\d/u.test(text));
  const width = isPadded ? Math.max(first.length, last.length) : 0;
  const shown = (text: string): string => text.padStart(width, "0");
  const [from, to] = [Number(first), Number(last)];
  if (from > to) throw misspelt(`${whole} goes backwards`, `${shown(last)}${between}${shown(first)}`);
  if (isPadded && first.length !== last.length)
    throw misspelt(`the numbers of ${whole} are padded to different lengths`, `${shown(first)}${between}${shown(last)}`);
  if (to - from >= mostMachines) throw tooMany(whole ?? "");
  return Array.from({ length: to - from + 1 }, (_, index) => shown(String(from + index)));
}

function misspelt(problem: string, instead: string): MachineError {
  return new MachineError("usage", problem, { hint: `Write it as ${instead}.` });
}

function tooMany(range: string): MachineError {
  return new MachineError("usage", `${range} is more than ${mostMachines} machines`, {
    hint: `A file holds ${mostMachines} at most.`,
  });
}

function lowerFirst(text: string): string {
  return text.slice(0, 1).toLowerCase() + text.slice(1);
}
