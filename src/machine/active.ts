/**
 * Which machine a DOCKER_HOST leads to. Recorded addresses are compared first: only a machine that has this one is asked
 * whether it runs, and beside it those of which only a program of others knows the address.
 */
import { MachineError } from "../errors/machine-error.ts";
import type { RecordFacts } from "../store/record-facts.ts";
import { engineUrlOf, swarmUrlOf } from "./host/engine-connection.ts";
import { openHost } from "./host/open-host.ts";
import { isAliasOf, isEngineAt } from "./integration/client-host.ts";
import { byNaturalOrder, lookAtMachines, type ListedMachine } from "./list.ts";
import type { MachineContext } from "./machine-context.ts";

export interface ActiveQuestion {
  /** As the docker client takes it: `tcp://ADDRESS:PORT`, `ssh://USER@ADDRESS:PORT`, `ssh://NAME.docker-machine`. */
  readonly dockerHost: string;
  /** Bound on everything that is asked of one machine. */
  readonly timeoutMs: number;
}

/** By how much of the address stands in the record, and those whose records tell none. */
interface Candidates {
  readonly likely: RecordFacts[];
  readonly possible: RecordFacts[];
  readonly opaque: RecordFacts[];
}

/**
 * The machine whose engine, or swarm, has this address and runs; the first in the order of `ls` where there are several.
 * Throws `timeout` where one that could be it did not answer.
 */
export async function findActive(
  context: MachineContext,
  { dockerHost, timeoutMs }: ActiveQuestion,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { likely, possible, opaque } = await candidatesFor(context, dockerHost);
  let isLate = false;
  for (const group of [likely, possible, opaque]) {
    const asked = group === opaque ? group : await withAddress(context, group, dockerHost);
    const machines = await lookAtMachines(
      context,
      { readable: asked, unreadable: [], masters: new Map() },
      { timeoutMs, certificates: false },
      signal,
    );
    const active = machines.find((machine) => leadsTo(machine, dockerHost));
    if (active !== undefined) return active.name;
    isLate ||= machines.some(({ state }) => state === "Timeout");
  }
  if (isLate) throw new MachineError("timeout", "Error getting active host: timeout");
  return undefined;
}

/** Every driver in this process makes its machines' addresses out of what is recorded: the host stands there as it is. */
async function candidatesFor(context: MachineContext, dockerHost: string): Promise<Candidates> {
  const { host, port } = partsOf(dockerHost);
  const found: Candidates = { likely: [], possible: [], opaque: [] };
  const records = (await context.store.facts((facts) => facts)).flatMap(({ value }) => value ?? []);
  const named = dockerHost.startsWith("ssh:") ? records.find(({ name }) => isAliasOf(name, dockerHost)) : undefined;
  if (named !== undefined) return { ...found, likely: [named] };
  for (const facts of records) {
    const text = JSON.stringify(facts.driver);
    if (text.includes(host)) (text.includes(port) ? found.likely : found.possible).push(facts);
    else if ((await context.findDriver(facts.driverName, text)).capabilities.opaque === true) found.opaque.push(facts);
  }
  // Only few are left to be put in order.
  for (const group of [found.likely, found.possible, found.opaque]) group.sort((a, b) => byNaturalOrder(a.name, b.name));
  return found;
}

/** As text in JSON; of what is no URL with a host, all of it. */
function partsOf(dockerHost: string): { host: string; port: string } {
  const [, host = dockerHost, port = ""] =
    /^[a-z][a-z0-9+.-]*:\/\/(?:[^@/]*@)?\[?([^/\]]+?)\]?(?::(\d+))?\/?$/iu.exec(dockerHost) ?? [];
  return { host: JSON.stringify(host).slice(1, -1), port };
}

async function withAddress(
  context: MachineContext,
  machines: readonly RecordFacts[],
  dockerHost: string,
): Promise<RecordFacts[]> {
  const matching: RecordFacts[] = [];
  for (const facts of machines) {
    const url = await recordedUrl(context, facts.name);
    if (url === undefined || isAt(url, facts, dockerHost)) matching.push(facts);
  }
  return matching;
}

/** Undefined where only asking can tell. */
async function recordedUrl(context: MachineContext, name: string): Promise<string | undefined> {
  try {
    await using host = await openHost(context, name);
    return host.module.capabilities.opaque === true ? undefined : await engineUrlOf(host);
  } catch {
    return "";
  }
}

function leadsTo({ name, state, url, options }: ListedMachine, dockerHost: string): boolean {
  return state === "Running" && options !== undefined && isAt(url, { name, swarm: options.swarm }, dockerHost);
}

function isAt(url: string, { name, swarm }: Pick<RecordFacts, "name" | "swarm">, dockerHost: string): boolean {
  return isEngineAt(url, name, dockerHost) || (swarm.Master && swarmUrlOf(url, swarm) === dockerHost);
}
