/** `ls --filter KEY=VALUE`: same key OR, different keys AND. Does no I/O. */
import { MachineError } from "../../errors/machine-error.ts";
import type { RecordFacts } from "../../store/record-facts.ts";
import { allLabelsOf } from "../../store/record-labels.ts";
import { compileNamePattern } from "./name-pattern.ts";

export interface ListFilters {
  /**
   * Whether a machine passes as far as its record tells; its state is known only after it was asked. `masters`: swarm
   * discovery → name of the master.
   */
  matchesRecord(machine: RecordFacts, masters: ReadonlyMap<string, string>): boolean;
  matchesState(state: string): boolean;
  /** Whether any filter looks at the state, or at other machines. */
  readonly needsState: boolean;
}

const keys = ["swarm", "driver", "state", "name", "label"] as const;
type Key = (typeof keys)[number];

/** Throws `filter-invalid` in 0.16.2's words, and `usage` in Go's for a name that is no regular expression. */
export async function parseFilters(texts: readonly string[]): Promise<ListFilters> {
  const values: Record<Key, string[]> = { swarm: [], driver: [], state: [], name: [], label: [] };
  for (const text of texts) {
    const { key, value } = parseFilter(text);
    values[key].push(value);
  }
  const names = await Promise.all(values.name.map(compileNamePattern));
  return {
    needsState: values.state.length > 0,
    matchesState: (state) => any(values.state, (value) => same(value, state)),
    matchesRecord: (machine, masters) =>
      any(values.driver, (value) => same(value, machine.driverName)) &&
      any(names, (matches) => matches(machine.name)) &&
      any(values.label, (value) => matchesLabel(allLabelsOf(machine), value)) &&
      any(values.swarm, (value) => same(value, masters.get(machine.swarm.Discovery) ?? "")),
  };
}

function parseFilter(text: string): { key: Key; value: string } {
  const equals = text.indexOf("=");
  if (equals === -1) throw invalid("Unsupported filter syntax", `${JSON.stringify(text)} is not KEY=VALUE.`);
  const written = text.slice(0, equals).toLowerCase();
  const key = keys.find((candidate) => candidate === written);
  if (key === undefined) throw invalid(`Unsupported filter key '${written}'`, `The keys are ${keys.join(", ")}.`);
  return { key, value: text.slice(equals + 1) };
}

function invalid(message: string, hint: string): MachineError {
  return new MachineError("filter-invalid", message, { hint });
}

/** A key alone stands for any value; the case of values does not count. Of a key given twice the engine takes the last. */
function matchesLabel(labels: readonly string[], wanted: string): boolean {
  const values = new Map(labels.map(splitLabel));
  const [key, value] = splitLabel(wanted);
  const found = values.get(key);
  return found !== undefined && (!wanted.includes("=") || same(found, value));
}

function splitLabel(label: string): readonly [string, string] {
  const equals = label.indexOf("=");
  return equals === -1 ? [label, ""] : [label.slice(0, equals), label.slice(equals + 1)];
}

function any<T>(values: readonly T[], matches: (value: T) => boolean): boolean {
  return values.length === 0 || values.some((value) => matches(value));
}

function same(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}
