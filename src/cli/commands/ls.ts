/** `ls`: the names alone, for completion and scripts, load nothing of what shows machines. */
import { listRecords } from "../../machine/list.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import { parseFilters } from "../list-filters.ts";
import { listRows } from "../list-rows.ts";
import { openPorts } from "../machine-ports.ts";

export async function run({ options }: Invocation, context: CliContext): Promise<void> {
  const ports = openPorts(context);
  const filters = options.strings("filter");
  const timeoutMs = options.int("timeout") * 1000;
  if (options.bool("quiet")) {
    const names = await quietNames(context, ports, filters, timeoutMs);
    if (context.globals.output === "json") context.printJson(names);
    else for (const name of names) context.print(name);
    return;
  }
  const { printMachines } = await import("../list-machines.ts");
  await printMachines(ports, context, options.string("format"), { filters, timeoutMs });
}

/** Nothing is asked of any machine unless a filter looks at its state. */
async function quietNames(
  context: CliContext,
  ports: ReturnType<typeof openPorts>,
  filters: readonly string[],
  timeoutMs: number,
): Promise<string[]> {
  const parsed = parseFilters(filters);
  if (parsed.needsState) {
    const rows = await listRows(ports, context, { filters, timeoutMs });
    return rows
      .filter((row) => row.engineOptions !== undefined)
      .map((row) => row.name)
      .sort();
  }
  const records = await listRecords(ports);
  const masters = new Map(
    records.flatMap(({ name, hostOptions: { SwarmOptions: swarm } }) => (swarm.Master ? [[swarm.Discovery, name] as const] : [])),
  );
  return records
    .filter(({ name, driverName, hostOptions }) =>
      parsed.matchesRecord({ name, driverName, engine: hostOptions.EngineOptions, swarm: hostOptions.SwarmOptions }, masters),
    )
    .map(({ name }) => name);
}
