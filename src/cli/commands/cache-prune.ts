/** `cache prune`: shows what would go and what that frees, asks, and removes it. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { listCache, pruneCache } from "../../machine/cache.ts";
import { readTimeText } from "../../system/time-text.ts";
import type { CliContext } from "../cli-context.ts";
import type { Invocation } from "../command.ts";
import { openContext } from "../open-context.ts";
import { widthFor } from "../output/wrap.ts";
import { cacheLines, totalOf } from "./cache-ls.ts";

export async function run({ options }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  const olderThanMs = readAge(options.string("older-than"));
  const isText = context.globals.output === "text";
  if (!options.bool("y")) {
    const entries = await listCache(machineContext, olderThanMs, context.signal);
    if (isText) for (const line of cacheLines(entries, widthFor(context.streams.stdout))) context.print(line);
    if (entries.length === 0) return isText ? undefined : context.printJson([]);
    if (!(await context.confirm("Remove all of this? Machines keep what they need.", "\n"))) return;
  }
  const pruned = await pruneCache(machineContext, olderThanMs, context.signal);
  if (!isText) return context.printJson(pruned);
  for (const { title, inUseBy } of pruned)
    if (inUseBy !== undefined) logTo(context.report, "warn", `${title} is left: ${inUseBy} is at work on it.`);
  const gone = pruned.filter(({ inUseBy }) => inUseBy === undefined);
  context.print(`Removed ${gone.length} of ${pruned.length}; ${totalOf(gone, "freesBytes")} are free again.`);
}

function readAge(text: string): number {
  if (text === "") return 0;
  const ms = readTimeText(text);
  if (ms === undefined) throw new MachineError("usage", `--older-than ${text} is no time`, { hint: "Give it as 12h or 30d." });
  return ms;
}
