/**
 * What is found before the flags are parsed, because which flags `create` knows, and what they are without being given,
 * depends on it: the driver's name (`-d X`, `--driver X` and their forms with `=`, then MACHINE_DRIVER), and the profile's.
 */
import { namesOf, type CliFlag } from "./flag.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The driver that was given, or undefined when the default is to be used. @param known flags whose values are skipped. */
export function findDriverName(args: readonly string[], known: readonly CliFlag[], env: Environment): string | undefined {
  return findValue(args, known, ["driver", "d"]) ?? nonEmpty(env["MACHINE_DRIVER"]);
}

/** The profile that was given; undefined for none. */
export function findProfileName(args: readonly string[], known: readonly CliFlag[], env: Environment): string | undefined {
  return findValue(args, known, ["profile"]) ?? nonEmpty(env["MACHINE_PROFILE"]);
}

function findValue(args: readonly string[], known: readonly CliFlag[], names: readonly string[]): string | undefined {
  const takingValues = new Set(known.filter((flag) => flag.kind !== "bool").flatMap(namesOf));
  let found: string | undefined;
  for (let index = 0; index < args.length && args[index] !== "--"; index += 1) {
    const [, name, value] = /^--?([^-=][^=]*)(?:=(.*))?$/su.exec(args[index] as string) ?? [];
    if (name === undefined) continue;
    const takesNext = value === undefined && takingValues.has(name);
    if (names.includes(name)) found = takesNext ? args[index + 1] : value;
    if (takesNext) index += 1;
  }
  return nonEmpty(found);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}
