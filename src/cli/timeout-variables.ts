/** Bounds out of environment variables. */
import { defaultTimeouts, timeoutNames, timeoutTable, type Timeouts } from "../machine/timeouts.ts";
import { parseTime } from "./global-options.ts";

const variablePrefix = "MACHINE_TIMEOUT_";

/** Bounds that the environment changes: `MACHINE_TIMEOUT_LOCK=30s`. Throws `usage` for what is no time. */
export function timeoutsOf(env: Readonly<Record<string, string | undefined>>): Timeouts {
  const changes = timeoutNames.flatMap((name) => {
    const variable = variablePrefix + timeoutTable[name].variable;
    const text = env[variable] ?? "";
    return text === "" ? [] : [[name, parseTime(text, variable)] as const];
  });
  return { ...defaultTimeouts, ...Object.fromEntries(changes) };
}
