/** The machines that pass filters. Loaded where there are some. */
import { MachineError } from "../../errors/machine-error.ts";
import { logTo } from "../../log/event.ts";
import { recordedMachines } from "../../machine/list-records.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { CliContext } from "../cli-context.ts";
import { parseFilters, type ListFilters } from "../list/list-filters.ts";

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

/** A machine whose record cannot be read has no labels and no driver: it passes no filter, and that is said. */
async function passing(
  machineContext: MachineContext,
  filters: ListFilters,
  context: Pick<CliContext, "report" | "signal">,
): Promise<string[]> {
  const recorded = await recordedMachines(machineContext);
  const { readable, unreadable, masters } = recorded;
  if (unreadable.length > 0) {
    const left = unreadable.map(({ name }) => name).toSorted();
    logTo(context.report, "warn", `Left out, because their records cannot be read: ${left.join(", ")}`);
  }
  const names = readable.filter((facts) => filters.matchesRecord(facts, masters)).map(({ name }) => name);
  if (!filters.needsState || names.length === 0) return names;
  const { lookAtMachines } = await import("../../machine/list.ts");
  const passing = { ...recorded, readable: readable.filter(({ name }) => names.includes(name)), unreadable: [] };
  const listed = await lookAtMachines(machineContext, passing, { timeoutMs: stateMs, certificates: false }, context.signal);
  const states = new Map(listed.map(({ name, state }) => [name, state]));
  return names.filter((name) => filters.matchesState(states.get(name) ?? ""));
}
