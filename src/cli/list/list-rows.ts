/** The rows of `ls`, as its template and columns see them; `active` uses them too. */
import { swarmUrlOf } from "../../machine/host/engine-connection.ts";
import { listMachines, type ListedMachine } from "../../machine/list.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { EngineOptions, SwarmOptions } from "../../store/host-record.ts";
import type { CliContext } from "../cli-context.ts";
import { parseFilters } from "./list-filters.ts";

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

/** Machines whose record cannot be read pass every filter, as in 0.16.2. */
export async function listRows(machineContext: MachineContext, context: CliContext, request: RowRequest): Promise<ListRow[]> {
  const filters = await parseFilters(request.filters);
  const all = await listMachines(machineContext, { timeoutMs: request.timeoutMs }, context.signal);
  const masters = new Map(
    all.flatMap(({ name, options }) => (options?.swarm.Master === true ? [[options.swarm.Discovery, name] as const] : [])),
  );
  const passes = ({ name, driverName, state, options }: ListedMachine): boolean =>
    options === undefined || (filters.matchesRecord({ name, driverName, ...options }, masters) && filters.matchesState(state));
  const dockerHost = context.computer.env["DOCKER_HOST"] ?? "";
  return all.filter(passes).map((machine) => rowOf(machine, masters, dockerHost));
}

/** Of a machine that did not answer in time, or cannot be loaded, not even a dash is shown, as in 0.16.2. */
function rowOf({ options, ...machine }: ListedMachine, masters: ReadonlyMap<string, string>, dockerHost: string): ListRow {
  const isKnown = options !== undefined && machine.state !== "Timeout";
  const running = machine.state === "Running" && dockerHost !== "";
  const activeHost = running && machine.url === dockerHost;
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
