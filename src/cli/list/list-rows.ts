/** The rows of `ls`, as its template and columns see them. */
import { swarmUrlOf } from "../../machine/host/engine-connection.ts";
import { clientHost, isEngineAt } from "../../machine/integration/client-host.ts";
import { lookAtMachines, type ListDepth, type ListedMachine } from "../../machine/list.ts";
import { recordedMachines, type RecordedMachines } from "../../machine/list-records.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { EngineOptions, SwarmOptions } from "../../store/host-record.ts";
import type { CliContext } from "../cli-context.ts";
import { parseFilters, type ListFilters } from "./list-filters.ts";

export interface ListRow extends Omit<ListedMachine, "options"> {
  /** `-`, `*` or `* (swarm)`. */
  readonly active: string;
  readonly activeHost: boolean;
  readonly activeSwarm: boolean;
  readonly swarm: string;
  readonly swarmOptions: SwarmOptions | undefined;
  readonly engineOptions: EngineOptions | undefined;
}

export interface RowRequest {
  readonly filters: readonly string[];
  readonly timeoutMs: number;
}

/** What is looked at, and who hears of each row at once. */
export interface RowOptions {
  readonly depth?: ListDepth | undefined;
  /** Whether it is told when certificates end. */
  readonly certificates: boolean;
  readonly onRow?: ((row: ListRow) => void) | undefined;
  /** Hears of each machine after its row, also of those that do not pass. */
  readonly onListed?: ((machine: ListedMachine) => void) | undefined;
}

/**
 * What is recorded is looked at first: only who passes by that is asked. Machines whose record cannot be read pass every
 * filter, as in 0.16.2.
 */
export async function listRows(
  machineContext: MachineContext,
  context: CliContext,
  request: RowRequest,
  options: RowOptions,
): Promise<ListRow[]> {
  const filters = await parseFilters(request.filters);
  const recorded = await recordedMachines(machineContext);
  return await rowsOf(recorded, filters, machineContext, context, request, options);
}

export async function rowsOf(
  recorded: RecordedMachines,
  filters: ListFilters,
  machineContext: MachineContext,
  context: CliContext,
  { timeoutMs }: RowRequest,
  { depth = "machine", certificates, onRow, onListed }: RowOptions,
): Promise<ListRow[]> {
  const { masters } = recorded;
  const dockerHost = context.compat ? (context.computer.env["DOCKER_HOST"] ?? "") : await clientHost(context.computer);
  const passes = ({ state, options }: ListedMachine): boolean => options === undefined || filters.matchesState(state);
  const toRow = (machine: ListedMachine): ListRow => rowOf(machine, masters, dockerHost);
  const machines = await lookAtMachines(
    machineContext,
    recorded,
    {
      timeoutMs,
      certificates,
      depth: filters.needsState ? "machine" : depth,
      select: (facts) => filters.matchesRecord(facts, masters),
      onListed: (machine) => {
        if (passes(machine)) onRow?.(toRow(machine));
        onListed?.(machine);
      },
    },
    context.signal,
  );
  return machines.filter(passes).map(toRow);
}

/** Of a machine that did not answer in time, or cannot be loaded, not even a dash is shown, as in 0.16.2. */
function rowOf({ options, ...machine }: ListedMachine, masters: ReadonlyMap<string, string>, dockerHost: string): ListRow {
  const isKnown = options !== undefined && machine.state !== "Timeout";
  const running = machine.state === "Running" && dockerHost !== "";
  const activeHost = running && isEngineAt(machine.url, machine.name, dockerHost);
  const activeSwarm =
    running && !activeHost && options?.swarm.Master === true && swarmUrlOf(machine.url, options.swarm) === dockerHost;
  return {
    ...machine,
    active: activeHost ? "*" : activeSwarm ? "* (swarm)" : isKnown ? "-" : "",
    activeHost,
    activeSwarm,
    swarm: isKnown ? swarmColumn(machine.name, options?.swarm, masters) : "",
    swarmOptions: options?.swarm,
    engineOptions: options?.engine,
  };
}

function swarmColumn(name: string, swarm: SwarmOptions | undefined, masters: ReadonlyMap<string, string>): string {
  if (swarm === undefined || swarm.Discovery === "") return "";
  return swarm.Master ? `${name} (master)` : (masters.get(swarm.Discovery) ?? "");
}
