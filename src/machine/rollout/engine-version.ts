/** Versions of engines, as engines, packages and people write them. Pure. */
import { MachineError } from "../../errors/machine-error.ts";

/** Of an engine, or of its package: `27.5.1`, `27.5`, `5:27.5.1-1~debian.12~bookworm`. Whether there is one, its source tells. */
export function parseEngineVersion(text: string, flag: string): string {
  if (/^v?\d[\w.+~:-]*$/u.test(text)) return text;
  throw new MachineError("usage", `${flag} ${JSON.stringify(text)} is no version`, { hint: "Give it as 27.5.1." });
}

/** `28.4.0` of `v28.4`, `5:28.4.0-1~debian.12~bookworm` and `20.10.24+dfsg1`; what is asked for may have fewer parts. */
function numbersOf(version: string): readonly string[] {
  return /^(?:\d+:)?v?(\d+(?:\.\d+)*)/u.exec(version)?.[1]?.split(".") ?? [];
}

/** Whether an engine of the version `actual` is what was asked for: `28.4` is any of `28.4.0`, `28.4.1`. */
export function isVersion(actual: string, wanted: string): boolean {
  const [have, want] = [numbersOf(actual), numbersOf(wanted)];
  return want.length > 0 && want.every((part, index) => Number(have[index]) === Number(part));
}

/** As far as both are told. */
export function isNewer(actual: string, wanted: string): boolean {
  const [have, want] = [numbersOf(actual), numbersOf(wanted)];
  for (const [index, part] of want.entries()) {
    const difference = Number(have[index] ?? 0) - Number(part);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
