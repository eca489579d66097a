import { logTo } from "../../log/event.ts";
import { findLeftovers, removeLeftovers, type Leftover } from "../../machine/gc.ts";
import type { Outcome } from "../../machine/machine-context.ts";
import { throwFailures } from "../../machine/many.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import type { CommandOptions } from "../flags/parse-flags.ts";
import { openContext } from "../open-context.ts";

export async function run({ options }: Invocation, context: CliContext): Promise<void> {
  const collect = options.bool("expired") ? (await import("./gc-expired.ts")).collectExpired : collectLeftovers;
  const outcomes = await collect(options, context);
  for (const { name, error } of outcomes) if (error === undefined) sayRemoved(context, name);
  throwFailures(outcomes);
}

async function collectLeftovers(options: CommandOptions, context: CliContext): Promise<readonly Outcome<unknown>[]> {
  const machineContext = openContext(context);
  const leftovers = await findLeftovers(machineContext, context.signal);
  if (context.globals.output === "json") context.printJson(leftovers);
  else for (const line of linesOf(leftovers)) context.print(line);
  if (leftovers.length === 0 || !options.bool("remove")) return [];
  if (!options.bool("y") && !(await context.confirm("Remove the machines whose create or rm was interrupted?", "\n"))) return [];
  return await removeLeftovers(machineContext, leftovers, context.signal);
}

/** With `--output json` standard output holds the list alone. */
function sayRemoved(context: CliContext, name: string): void {
  const text = `Successfully removed ${name}`;
  if (context.globals.output === "json") logTo(context.report, "info", text);
  else context.print(text);
}

function linesOf(leftovers: readonly Leftover[]): string[] {
  return leftovers.length === 0 ? ["Nothing was left behind."] : leftovers.map(lineOf);
}

function lineOf({ name, what, removed, instances, complaint }: Leftover): string {
  const kept = removed === true ? ", then it was removed; kept until nothing can appear any more" : "";
  const found = instances.length === 0 ? "" : `; at the provider: ${instances.join(", ")}`;
  return `${name}: ${what}${kept}${found}${complaint === undefined ? "" : ` (${complaint})`}`;
}
