/** `ls` for people: a table that fills in as machines answer, once, or again and again until it is ended. */
import { byNaturalOrder, type ListedMachine } from "../../machine/list.ts";
import { recordedMachines, type RecordedMachines } from "../../machine/list-records.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { CliContext, LiveLines } from "../cli-context.ts";
import { parseFilters, type ListFilters } from "./list-filters.ts";
import { rowsOf, type ListRow, type RowRequest } from "./list-rows.ts";
import { ListKeys } from "./list-keys.ts";
import { LiveList, type Expected } from "./live-list.ts";
import { watch } from "./watch.ts";

/** What an empty store says in the place of a table. */
const firstSteps = [
  "No machines yet. Make one on this computer or of a box that you reach by SSH:",
  "  docker-machine create --driver docker NAME",
  "  docker-machine create --driver generic --generic-ip-address ADDRESS NAME",
  "docker-machine driver ls shows what else machines can be made of.",
];

export async function showMachines(
  machineContext: MachineContext,
  context: CliContext,
  request: RowRequest,
  view: LiveLines,
): Promise<void> {
  const filters = await parseFilters(request.filters);
  const list = new LiveList(view, machineContext.clock);
  const isEmpty = await round(list, filters, machineContext, context, request);
  leave(isEmpty ? firstSteps : list.finish(), context);
}

/** Ends when the command is interrupted, or by a key where somebody can type: then the last table stays. */
export async function watchMachines(
  machineContext: MachineContext,
  context: CliContext,
  request: RowRequest,
  view: LiveLines,
): Promise<void> {
  const filters = await parseFilters(request.filters);
  const keys = context.streams.stdin.isTerminal ? new ListKeys() : undefined;
  const list = new LiveList(view, machineContext.clock, keys);
  const over = new AbortController();
  const giveBack = keys && (await listen(keys, list, over, context));
  try {
    await watch(
      machineContext,
      context,
      async (watching) => {
        await round(list, filters, machineContext, watching, request);
        list.draw();
      },
      over.signal,
    );
  } finally {
    giveBack?.();
    leave(list.finish(), context);
  }
}

async function listen(keys: ListKeys, list: LiveList, over: AbortController, { streams }: CliContext): Promise<() => void> {
  return await streams.stdin.takeKeys({
    onKey: (key) => {
      if (keys.press(key)) over.abort();
      else list.draw();
    },
    onSuspend: () => list.hide(),
  });
}

/** For good: what was drawn before is gone. */
function leave(lines: readonly string[], { streams, redactor }: CliContext): void {
  for (const line of lines) streams.stdout.write(`${redactor.redact(line)}\n`);
}

/** Asks all once. Gives whether there is nobody to ask and nothing was filtered. */
async function round(
  list: LiveList,
  filters: ListFilters,
  machineContext: MachineContext,
  context: CliContext,
  request: RowRequest,
): Promise<boolean> {
  const recorded = await recordedMachines(machineContext);
  const expected = expectedOf(recorded, filters);
  const heard = new Set<string>();
  const onRow = (row: ListRow): void => {
    heard.add(row.name);
    list.heard(row);
  };
  const onListed = ({ name }: ListedMachine): void => {
    if (!heard.has(name)) list.drop(name);
  };
  await list.during(
    expected,
    async () => await rowsOf(recorded, filters, machineContext, context, request, { certificates: false, onRow, onListed }),
  );
  return expected.length === 0 && request.filters.length === 0;
}

function expectedOf({ readable, unreadable, masters }: RecordedMachines, filters: ListFilters): readonly Expected[] {
  const passing = readable.filter((facts) => filters.matchesRecord(facts, masters));
  const broken = unreadable.map(({ name }) => ({ name, driverName: "not found" }));
  return [...passing, ...broken].sort((a, b) => byNaturalOrder(a.name, b.name));
}
