/** Machine names: what is allowed, and `web-{1..5}` for shells that do not expand braces themselves. */
import { MachineError } from "../errors/machine-error.ts";

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9\-.]*$/u;
const mostNames = 1_000;

/**
 * Throws `machine-name-invalid` with 0.16.2's sentence.
 * @param during what it begins with: 0.16.2 had names to judge in `create` alone
 */
export function requireValidName(name: string, during = "Error creating machine: "): void {
  if (namePattern.test(name)) return;
  throw new MachineError(
    "machine-name-invalid",
    `${during}Invalid hostname specified. Allowed hostname chars are: 0-9a-zA-Z . -`,
    { hint: `${JSON.stringify(name)} is not a machine name: ${objectionTo(name)}.` },
  );
}

function objectionTo(name: string): string {
  if (name === "") return "it is empty";
  if (/^[-.]/u.test(name)) return "it must begin with a letter or a digit";
  const wrong = [...new Set(Array.from(name).filter((character) => !/[a-zA-Z0-9\-.]/u.test(character)))];
  const braces = name.replaceAll(/\[(\d+)-(\d+)\]/gu, "{$1..$2}");
  const several = braces === name ? "" : `; for several machines: ${JSON.stringify(braces)}`;
  return `it must not hold ${wrong.map((character) => (character === " " ? "a blank" : JSON.stringify(character))).join(" ")}${several}`;
}

/** Expands `{a,b}` and `{1..5}` (zero-padded as written) in every name, and refuses a name given twice. */
export function expandNames(patterns: readonly string[]): string[] {
  const names = patterns.flatMap(expandBraces);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new MachineError("usage", `The machine name "${twice}" is given twice`);
  if (names.length > mostNames)
    throw new MachineError("usage", `${names.length} machines at once are too many; the limit is ${mostNames}`);
  return names;
}

function expandBraces(pattern: string): string[] {
  const found = /\{([^{}]*)\}/u.exec(pattern);
  if (found === null) return [pattern];
  const [whole, inner = ""] = found;
  const before = pattern.slice(0, found.index);
  const after = pattern.slice(found.index + whole.length);
  const choices = rangeOf(inner) ?? (inner.includes(",") ? inner.split(",") : undefined);
  if (choices === undefined) return [pattern];
  return choices.flatMap((choice) => expandBraces(before + choice + after));
}

function rangeOf(inner: string): string[] | undefined {
  const found = /^(\d+)\.\.(\d+)$/u.exec(inner);
  if (found === null) return undefined;
  const [, firstText = "", lastText = ""] = found;
  const [first, last] = [Number(firstText), Number(lastText)];
  const width = firstText.startsWith("0") || lastText.startsWith("0") ? Math.max(firstText.length, lastText.length) : 0;
  const count = Math.min(Math.abs(last - first), mostNames) + 1;
  const step = last < first ? -1 : 1;
  return Array.from({ length: count }, (_, index) => String(first + index * step).padStart(width, "0"));
}
