/** The machines that pass filters. Loaded where there are some. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { listRecords } from "../../machine/list-records.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import { allLabelsOf } from "../../machine/selection/labels.ts";
import type { HostRecord } from "../../store/host-record.ts";
import type { CliContext } from "../cli-context.ts";
import { parseFilters, type Filterable, type ListFilters } from "../list/list-filters.ts";

/** For machines to tell their state by, as `ls` gives them unless told otherwise. */
const stateMs = 10_000;

/** Throws `filter-invalid`, and `nothing-selected`: nothing is never all. */
export async function filteredNames(
  machineContext: MachineContext,
  texts: readonly string[],
  context: Pick<CliContext, "report" | "signal">,
): Promise<string[]> {
  const names = await passing(machineContext, await parseFilters(texts), context);
  if (names.length > 0) return names;
  throw new MachineError("nothing-selected", `No machine passes ${texts.map((text) => `--filter ${text}`).join(" ")}`, {
    hint: "See what there is with: docker-machine ls, and the labels of a machine with: docker-machine label NAME",
  });
}

async function passing(
  machineContext: MachineContext,
  filters: ListFilters,
  context: Pick<CliContext, "report" | "signal">,
): Promise<string[]> {
  const records = await readable(machineContext, context);
  const masters = mastersOf(records);
  const names = records.filter((record) => filters.matchesRecord(filterableOf(record), masters)).map(({ name }) => name);
  if (!filters.needsState || names.length === 0) return names;
  const { listMachines } = await import("../../machine/list.ts");
  const listed = await listMachines(machineContext, { timeoutMs: stateMs, only: names }, context.signal);
  const states = new Map(listed.map(({ name, state }) => [name, state]));
  return names.filter((name) => filters.matchesState(states.get(name) ?? ""));
}

/** A machine whose record cannot be read has no labels and no driver: it passes no filter, and that is said. */
async function readable(machineContext: MachineContext, { report }: Pick<CliContext, "report">): Promise<HostRecord[]> {
  const [records, names] = await Promise.all([listRecords(machineContext), machineContext.store.list()]);
  const known = new Set(records.map(({ name }) => name));
  const left = names.filter((name) => !known.has(name)).toSorted();
  if (left.length > 0) logTo(report, "warn", `Left out, because their records cannot be read: ${left.join(", ")}`);
  return records;
}

/** What filters look at, the labels of the machine beside those of its engine. */
function filterableOf(record: HostRecord): Filterable {
  const { EngineOptions: engine, SwarmOptions: swarm } = record.hostOptions;
  return { name: record.name, driverName: record.driverName, engine: { ...engine, Labels: allLabelsOf(record) }, swarm };
}

function mastersOf(records: readonly HostRecord[]): ReadonlyMap<string, string> {
  return new Map(
    records.flatMap(({ name, hostOptions: { SwarmOptions: swarm } }) => (swarm.Master ? [[swarm.Discovery, name] as const] : [])),
  );
}
