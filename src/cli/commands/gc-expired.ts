/** `gc --expired`: shows the machines whose time is over, asks, and removes them. */
import { describeExpired, findExpired, removeExpired, type ExpiredMachine } from "../../machine/lifetime/expired.ts";
import { throwFailures } from "../../machine/many.ts";
import type { CliContext } from "../cli-context.ts";
import type { CommandOptions } from "../flags/parse-flags.ts";
import { openContext } from "../open-context.ts";
import { isConfirmed } from "../selection/select-machines.ts";
import { sayRemoved } from "./gc.ts";

export async function run(options: CommandOptions, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  const found = await findExpired(machineContext);
  if (context.globals.output === "json") {
    context.printJson(found.map(jsonOf));
  } else for (const line of found.length === 0 ? ["No machine's time is over."] : found.map(describeExpired)) context.print(line);
  if (options.bool("dry-run") || found.every(({ isProtected }) => isProtected)) return;
  if (!options.bool("y") && !(await isConfirmed("Remove these machines?", "remove", context))) return;
  const outcomes = await removeExpired(machineContext, found, context.signal);
  for (const { name, error } of outcomes) if (error === undefined) sayRemoved(context, name);
  throwFailures(outcomes);
}

function jsonOf({ name, driverName, deadline, isProtected }: ExpiredMachine): object {
  return { name, driverName, expires: deadline.toISOString(), isProtected };
}
