/** What drivers do alike with the options that they were given. No I/O. */
import * as path from "node:path";
import { MachineError } from "../errors/machine-error.ts";
import type { Computer } from "../system/computer.ts";

/** `driver-options`, for options that do not go together, or mean nothing. @param hint the way out */
export function wrongOptions(sentence: string, hint: string): MachineError {
  return new MachineError("driver-options", sentence, { hint });
}

/** A file as an option names it, for a create that goes on may run in another folder; "" = none stays that. */
export function absoluteFile(file: string, cwd: string): string {
  return file === "" ? "" : path.resolve(cwd, file);
}

/** Two words at a time, as providers' `key,value,key,value` is meant; a last key without a value has "". */
export function wordsInPairs(words: readonly string[]): readonly (readonly [key: string, value: string])[] {
  return words.flatMap((key, at) => (at % 2 === 0 ? [[key, words[at + 1] ?? ""] as const] : []));
}

/** With MACHINE_COMPAT=0.16, takes 0.16.2's defaults in the place of ours where the user gave nothing. */
export function takeOldDefaults<Field extends string>(
  config: Readonly<Record<NoInfer<Field>, unknown>>,
  old: Readonly<Record<Field, unknown>>,
  { env }: Pick<Computer, "env">,
  isGiven: (field: Field) => boolean,
): void {
  if (env["MACHINE_COMPAT"] !== "0.16") return;
  for (const field of Object.keys(old) as Field[]) if (!isGiven(field)) Object.assign(config, { [field]: old[field] });
}

/** The names in a text like `a, b`. */
export function namesIn(commaText: string): readonly string[] {
  return commaText.split(",").flatMap((name) => (name.trim() === "" ? [] : [name.trim()]));
}
