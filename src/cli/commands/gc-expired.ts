/** `gc --expired`: shows the machines whose time is over, asks, and removes them. */
import { describeExpired, findExpired, removeExpired, type ExpiredMachine } from "../../machine/lifetime/expired.ts";
import type { Outcome } from "../../machine/machine-context.ts";
import type { CliContext } from "../cli-context.ts";
import type { CommandOptions } from "../flags/parse-flags.ts";
import { openContext } from "../open-context.ts";
import { isConfirmed } from "../selection/select-machines.ts";

/** Gives what became of those that were to be removed; none are without a yes. */
export async function collectExpired(options: CommandOptions, context: CliContext): Promise<readonly Outcome<unknown>[]> {
  const machineContext = openContext(context);
  const found = await findExpired(machineContext);
  if (context.globals.output === "json") {
    context.printJson(found.map(jsonOf));
  } else for (const line of found.length === 0 ? ["No machine's time is over."] : found.map(describeExpired)) context.print(line);
  if (options.bool("dry-run") || found.every(({ isProtected }) => isProtected)) return [];
  if (!options.bool("y") && !(await isConfirmed("Remove these machines?", "remove", context))) return [];
  return await removeExpired(machineContext, found, context.signal);
}

function jsonOf({ name, driverName, deadline, isProtected }: ExpiredMachine): object {
  return { name, driverName, expires: deadline.toISOString(), isProtected };
}
