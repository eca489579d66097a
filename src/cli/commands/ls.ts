import { listRecords } from "../../machine/list.ts";
import type { Invocation } from "../command.ts";
import type { CliContext } from "../context.ts";
import type { HostListItem } from "../format/host-list-item.ts";
import { parseListFormat, renderList } from "../format/list-format.ts";
import { parseFilters } from "../list-filters.ts";
import { listRows, type ListRow } from "../list-rows.ts";
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
  const format = parseListFormat(options.string("format"));
  const rows = await listRows(ports, context, { filters, timeoutMs });
  if (context.globals.output === "json") {
    context.printJson(rows);
    return;
  }
  const { text, error } = renderList(format, rows.map(itemOf));
  context.streams.stdout.write(text);
  if (error !== undefined) throw error;
}

/** The fields under 0.16.2's names for them. */
function itemOf(row: ListRow): HostListItem {
  return {
    ...row,
    dockerVersion: row.engineVersion,
    responseTimeMs: Math.trunc(row.responseTimeMs),
    swarmOptions: row.swarmOptions === undefined ? null : { ...row.swarmOptions },
    engineOptions: row.engineOptions === undefined ? null : { ...row.engineOptions },
  };
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
