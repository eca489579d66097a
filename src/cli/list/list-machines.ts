/** What `ls` prints but for `--quiet`: rows through a template, or as JSON. */
import { oneLine } from "../../log/plain-text.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { CliContext } from "../cli-context.ts";
import type { HostListItem } from "./host-list-item.ts";
import { depthOf, parseListFormat, renderList } from "./list-format.ts";
import { listRows, type ListRow, type RowRequest } from "./list-rows.ts";

/** Throws `template-invalid`: before anything is asked, or after the rows that could be shown. */
export async function printMachines(
  machineContext: MachineContext,
  context: CliContext,
  format: string,
  request: RowRequest,
): Promise<void> {
  const parsed = parseListFormat(format);
  // A template is output for programs already, as with `inspect -f`.
  if (context.globals.output === "json" && format === "") {
    context.printJson(await listRows(machineContext, context, request, { certificates: true }));
    return;
  }
  const rows = await listRows(machineContext, context, request, { certificates: false, depth: depthOf(parsed) });
  const { text, error } = renderList(parsed, rows.map(itemOf));
  context.streams.stdout.write(text);
  if (error !== undefined) throw error;
}

/** The fields under 0.16.2's names for them. */
function itemOf(row: ListRow): HostListItem {
  return {
    ...row,
    name: oneLine(row.name),
    driverName: oneLine(row.driverName),
    url: oneLine(row.url),
    swarm: oneLine(row.swarm),
    error: oneLine(row.error),
    dockerVersion: oneLine(row.engineVersion),
    responseTimeMs: Math.trunc(row.responseTimeMs),
    swarmOptions: row.swarmOptions === undefined ? null : { ...row.swarmOptions },
    engineOptions: row.engineOptions === undefined ? null : { ...row.engineOptions },
  };
}
