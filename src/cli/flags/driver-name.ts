/**
 * The driver's name, found before the flags are parsed: which flags `create` knows depends on it. Looks at `-d X`,
 * `--driver X` and their forms with `=`, then at MACHINE_DRIVER.
 */
import { namesOf, type CliFlag } from "./flag.ts";

const driverFlagNames: readonly string[] = ["driver", "d"];

/** The name that was given, or undefined when the default is to be used. @param known flags whose values are skipped. */
export function findDriverName(
  args: readonly string[],
  known: readonly CliFlag[],
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const takingValues = new Set(known.filter((flag) => flag.kind !== "bool").flatMap(namesOf));
  let found: string | undefined;
  for (let index = 0; index < args.length && args[index] !== "--"; index += 1) {
    const [, name, value] = /^--?([^-=][^=]*)(?:=(.*))?$/su.exec(args[index] as string) ?? [];
    if (name === undefined) continue;
    const takesNext = value === undefined && takingValues.has(name);
    if (driverFlagNames.includes(name)) found = takesNext ? args[index + 1] : value;
    if (takesNext) index += 1;
  }
  return nonEmpty(found) ?? nonEmpty(env["MACHINE_DRIVER"]);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
