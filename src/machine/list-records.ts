/** What of all machines is recorded: nothing is asked of any of them, and nothing loaded that could. */
import { isMachineError } from "../errors/machine-error.ts";
import type { RecordFacts } from "../store/record-facts.ts";
import type { MachineContext, Outcome } from "./machine-context.ts";

export interface RecordedMachines {
  /** In the order of the names as text. */
  readonly readable: readonly RecordFacts[];
  /** Why the others cannot be read, each by name. */
  readonly unreadable: readonly Outcome<unknown>[];
  /** Masters of classic swarm: where theirs is discovered → the name of the machine. */
  readonly masters: ReadonlyMap<string, string>;
}

export async function recordedMachines({ store }: Pick<MachineContext, "store">): Promise<RecordedMachines> {
  const looks = await store.facts(({ driver: _driver, ...facts }) => facts);
  const readable = looks.flatMap(({ value }) => value ?? []).sort((a, b) => (a.name < b.name ? -1 : 1));
  return {
    readable,
    // Someone removed it since the names were read: gone is no fault.
    unreadable: looks.filter(({ error }) => error !== undefined && !isMachineError(error, "machine-not-found")),
    masters: new Map(readable.flatMap(({ name, swarm }) => (swarm.Master ? [[swarm.Discovery, name] as const] : []))),
  };
}
