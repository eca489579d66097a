/** `ls` for people: a table that fills in as machines answer, once, or again and again until it is interrupted. */
import { byNaturalOrder, type ListedMachine } from "../../machine/list.ts";
import { recordedMachines, type RecordedMachines } from "../../machine/list-records.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { CliContext, LiveLines } from "../cli-context.ts";
import { parseFilters, type ListFilters } from "./list-filters.ts";
import { rowsOf, type ListRow, type RowRequest } from "./list-rows.ts";
import { LiveList, type Expected } from "./live-list.ts";

/** From the beginning of a round of `--watch` to that of the next, unless a machine is waited for that long. */
export const watchMs = 5_000;
/** By which the rounds of several watchers are kept apart. */
const jitterMs = 500;

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
  for (const line of isEmpty ? firstSteps : list.finish()) context.streams.stdout.write(`${context.redactor.redact(line)}\n`);
}

/** Ends when the command is interrupted: then the last table stays. */
export async function watchMachines(
  machineContext: MachineContext,
  context: CliContext,
  request: RowRequest,
  view: LiveLines,
): Promise<void> {
  const filters = await parseFilters(request.filters);
  const list = new LiveList(view, machineContext.clock);
  try {
    while (!context.signal.aborted) {
      const pause = nextRound(machineContext, context.signal);
      await round(list, filters, machineContext, context, request);
      list.draw();
      await pause;
    }
  } catch (error) {
    if (!context.signal.aborted) throw error;
  } finally {
    for (const line of list.finish()) context.streams.stdout.write(`${context.redactor.redact(line)}\n`);
  }
}

/** A time before which no round begins; it ends with the command. */
export async function nextRound({ clock }: Pick<MachineContext, "clock">, signal: AbortSignal): Promise<void> {
  await clock.sleep(watchMs + Math.random() * jitterMs, signal).catch(() => {});
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
