/** `ls`: the names alone, for completion and scripts, load nothing of what shows machines. */
import { recordedMachines } from "../../machine/list-records.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { parseFilters } from "../list/list-filters.ts";
import { openContext } from "../open-context.ts";
import { UsageError } from "../usage-error.ts";

export async function run({ options }: Invocation, context: CliContext): Promise<void> {
  const machineContext = openContext(context);
  const filters = options.strings("filter");
  const timeoutMs = options.int("timeout") * 1000;
  if (options.bool("quiet")) {
    const names = await quietNames(context, machineContext, filters, timeoutMs);
    if (context.globals.output === "json") context.printJson(names);
    else for (const name of names) context.print(name);
    return;
  }
  const format = options.string("format");
  const request = { filters, timeoutMs };
  const view = format === "" && !context.compat ? context.liveLines() : undefined;
  if (options.bool("watch")) {
    if (format !== "") throw new UsageError("--watch shows the table, or with --output json the changes, and takes no --format");
    if (view !== undefined)
      await (await import("../list/list-for-people.ts")).watchMachines(machineContext, context, request, view);
    else await (await import("../list/list-changes.ts")).printChanges(machineContext, context, request);
    return;
  }
  if (view !== undefined) {
    await (await import("../list/list-for-people.ts")).showMachines(machineContext, context, request, view);
    return;
  }
  const { printMachines } = await import("../list/list-machines.ts");
  await printMachines(machineContext, context, format, request);
}

/** Nothing is asked of any machine unless a filter looks at its state. */
async function quietNames(
  context: CliContext,
  machineContext: ReturnType<typeof openContext>,
  filters: readonly string[],
  timeoutMs: number,
): Promise<string[]> {
  const parsed = await parseFilters(filters);
  if (parsed.needsState) {
    const { listRows } = await import("../list/list-rows.ts");
    const rows = await listRows(machineContext, context, { filters, timeoutMs }, { certificates: false });
    return rows
      .filter((row) => row.engineOptions !== undefined)
      .map((row) => row.name)
      .sort();
  }
  const { readable, masters } = await recordedMachines(machineContext);
  return readable.filter((facts) => parsed.matchesRecord(facts, masters)).map(({ name }) => name);
}
