/** `ls`: the names alone, for completion and scripts, load nothing of what shows machines. */
import { recordedMachines } from "../../machine/list-records.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../cli-context.ts";
import { parseFilters } from "../list/list-filters.ts";
import { openContext } from "../open-context.ts";

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
  const { printMachines } = await import("../list/list-machines.ts");
  await printMachines(machineContext, context, options.string("format"), { filters, timeoutMs });
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
