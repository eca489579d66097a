/** Bounds out of environment variables. */
import { defaultTimeouts, timeoutNames, timeoutTable, type Timeouts } from "../machine/timeouts.ts";
import { MachineError } from "../errors/machine-error.ts";
import { quote } from "../gocompat/quote.ts";
import { readTimeText } from "../system/time-text.ts";

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

function parseTime(text: string, variable: string): number {
  const total = readTimeText(text);
  if (total !== undefined) return total;
  throw new MachineError("usage", `invalid value ${quote(text)} for ${variable}: expected a time such as 90s or 10m`);
}
