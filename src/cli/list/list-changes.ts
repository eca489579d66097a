/** `ls --watch` for programs: one line for each machine, and from then on one for each that has changed, is new or is gone. */
import type { MachineContext } from "../../machine/machine-context.ts";
import type { CliContext } from "../cli-context.ts";
import { listRows, type ListRow, type RowRequest } from "./list-rows.ts";
import { watch } from "./watch.ts";

export type ListChange =
  | ({ readonly time: string; readonly type: "machine" } & ListRow)
  | { readonly time: string; readonly type: "machine-gone"; readonly name: string };

/** Ends when the command is interrupted. */
export async function printChanges(machineContext: MachineContext, context: CliContext, request: RowRequest): Promise<void> {
  const known = new Map<string, string>();
  await watch(machineContext, context, async (watching) => {
    const rows = await listRows(machineContext, watching, request, { certificates: true });
    const time = machineContext.clock.now().toISOString();
    for (const change of changesSince(known, rows, time))
      context.print(context.globals.output === "json" ? JSON.stringify(change) : textOf(change));
  });
}

/** Takes the rows into what is known by name. How long an answer took is no change. */
export function changesSince(known: Map<string, string>, rows: readonly ListRow[], time: string): ListChange[] {
  const changes: ListChange[] = [];
  for (const row of rows) {
    const facts = JSON.stringify({ ...row, responseTimeMs: 0 });
    if (known.get(row.name) === facts) continue;
    known.set(row.name, facts);
    changes.push({ time, type: "machine", ...row });
  }
  const present = new Set(rows.map(({ name }) => name));
  for (const name of [...known.keys()].filter((each) => !present.has(each))) {
    known.delete(name);
    changes.push({ time, type: "machine-gone", name });
  }
  return changes;
}

function textOf(change: ListChange): string {
  if (change.type === "machine-gone") return `${change.time} ${change.name} gone`;
  const { time, name, state, url, error, reason = "" } = change;
  return [time, name, state, url, error === "" ? reason : error].filter((part) => part !== "").join(" ");
}
