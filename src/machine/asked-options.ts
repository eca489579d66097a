/** What a create was asked for, kept while it is unfinished: another create of the machine may ask for something else. */
import type { CreateFlag, DriverOptions, FlagValue } from "../driver-kit/create-flag.ts";
import { isSecretName } from "../log/secret-names.ts";
import type { AskedOptions } from "./interruption/journal.ts";

/** The options of the driver, but for credentials: those may be others at any time. */
export function askedOptions(flags: readonly CreateFlag[], options: DriverOptions): AskedOptions {
  const values = options.all();
  return Object.fromEntries(
    flags.flatMap(({ name, secret }) => {
      const value = values[name];
      return value === undefined || (secret ?? isSecretName(name)) ? [] : [[name, value] as const];
    }),
  );
}

export interface ChangedOption {
  readonly flag: string;
  readonly before: FlagValue;
  readonly now: FlagValue;
}

/** In the order of the flags. An option that only one of the two knows of has not changed. */
export function changedOptions(before: AskedOptions, now: AskedOptions): ChangedOption[] {
  return Object.entries(now).flatMap(([flag, value]) => {
    const earlier = before[flag];
    return earlier === undefined || JSON.stringify(earlier) === JSON.stringify(value)
      ? []
      : [{ flag, before: earlier, now: value }];
  });
}

/** `--qemu-memory (2048, not 1024)` */
export function describeChange({ flag, before, now }: ChangedOption): string {
  return `--${flag} (${textOf(before)}, not ${textOf(now)})`;
}

function textOf(value: FlagValue): string {
  const text = typeof value === "object" ? value.join(" ") : String(value);
  return text === "" ? "empty" : text;
}
