/** One row of help for a flag, in the layout of 0.16.2. Completion scripts read these lines: the layout is an interface. */
import { dashed, namesOf, type CliFlag } from "../flags/flag.ts";

/** The text before the tab (names and default) and after it (usage and environment variable). */
export function flagRow(flag: CliFlag): readonly [string, string] {
  return [
    namesOf(flag).map(dashed).join(", ") + valueHint(flag),
    flag.usage.replaceAll(/\s*\n\s*/gu, " ") + environmentHint(flag),
  ];
}

/** The rows of the flags that help shows. */
export function flagRows(flags: readonly CliFlag[]): (readonly [string, string])[] {
  return flags.filter((flag) => flag.hidden !== true).map(flagRow);
}

/** A string flag without a default leaves its trailing space, as in 0.16.2. */
function valueHint(flag: CliFlag): string {
  switch (flag.kind) {
    case "bool":
      return "";
    case "int":
      return ` "${flag.value ?? 0}"`;
    case "string":
      return (flag.value ?? "") === "" ? " " : ` "${flag.value}"`;
    case "strings":
      return ` [${dashed(flag.name)} option ${dashed(flag.name)} option]`;
  }
}

function environmentHint(flag: CliFlag): string {
  if (flag.envVar === undefined || flag.envVar === "") return "";
  return ` [${flag.envVar
    .split(",")
    .map((name) => `$${name}`)
    .join(", ")}]`;
}
