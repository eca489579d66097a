/** `swarm`: which machines of the file are members of which cluster of swarm mode. */
import { didYouMean } from "../../errors/nearest.ts";
import { readBool } from "../../driver-kit/flag-text.ts";
import { entriesOf, type Written, type WrittenEntry } from "../../system/yaml-text.ts";
import { invalid, knownEntries } from "./complaint.ts";
import type { MachineSpec, SwarmSpec } from "./fleet-file.ts";
import { namesOf } from "./machine-names.ts";
import { text, wholeNumber } from "./scalars.ts";

const keys = ["managers", "workers", "data-path-port"];
const ports = { least: 1_024, most: 49_151 };

export interface Clusters {
  readonly swarms: readonly SwarmSpec[];
  readonly warnings: readonly string[];
}

/** Throws `fleet-invalid` for members that the file does not have, that are members twice, or whose engines refuse swarm mode. */
export function readClusters(written: Written, machines: readonly MachineSpec[]): Clusters {
  const known = new Map(machines.map((machine) => [machine.name, machine]));
  const swarms = entriesOf(written, "swarm", invalid).map((entry) => readCluster(entry, known));
  requireOneEach(swarms);
  for (const swarm of swarms) for (const name of membersOf(swarm)) refuseLiveRestore(known.get(name), swarm);
  return { swarms, warnings: swarms.flatMap(warningsOf) };
}

function readCluster({ key, place, value }: WrittenEntry, known: ReadonlyMap<string, MachineSpec>): SwarmSpec {
  const title = `the cluster ${key}`;
  const entries = knownEntries(value, title, keys);
  const managers = entries.get("managers");
  const workers = entries.get("workers");
  const port = entries.get("data-path-port");
  const swarm = {
    name: key,
    place,
    managers: managers === undefined ? [] : membersFrom(managers.value, "managers", known),
    workers: workers === undefined ? [] : membersFrom(workers.value, "workers", known),
    dataPathPort: port && wholeNumber(port.value, "data-path-port", ports.least, ports.most),
  };
  if (swarm.managers.length === 0) throw invalid(place, `${title} has no managers`);
  return swarm;
}

export function membersOf({ managers, workers }: SwarmSpec): readonly string[] {
  return [...managers, ...workers];
}

/** A list of names and ranges, or `label=KEY[=VALUE]` for the machines that the file gives that label. */
function membersFrom(written: Written, what: string, known: ReadonlyMap<string, MachineSpec>): readonly string[] {
  if (written.kind !== "list") return labelled(written, what, known);
  return written.items.flatMap((item) => namesOf(text(item, what), item.place).map((name) => requireKnown(name, item, known)));
}

function requireKnown(name: string, { place }: Written, known: ReadonlyMap<string, MachineSpec>): string {
  if (known.has(name)) return name;
  throw invalid(place, `this file has no machine "${name}"`, didYouMean(name, known.keys()));
}

function labelled(written: Written, what: string, known: ReadonlyMap<string, MachineSpec>): readonly string[] {
  const found = /^label=([^=]+)(?:=(.*))?$/u.exec(text(written, what));
  if (found === null) throw invalid(written.place, `${what} is a list of machines, or label=KEY=VALUE`);
  const [, key = "", value] = found;
  const machines = [...known.values()].filter(
    ({ labels }) => Object.hasOwn(labels, key) && (value === undefined || labels[key] === value),
  );
  return machines.map(({ name }) => name);
}

function requireOneEach(swarms: readonly SwarmSpec[]): void {
  const taken = new Map<string, string>();
  for (const swarm of swarms) {
    for (const name of membersOf(swarm)) {
      const other = taken.get(name);
      if (other !== undefined) {
        const where = other === swarm.name ? `twice of the cluster ${swarm.name}` : `of the clusters ${other} and ${swarm.name}`;
        throw invalid(swarm.place, `"${name}" is a member ${where}`);
      }
      taken.set(name, swarm.name);
    }
  }
}

/** dockerd with both does not start. */
function refuseLiveRestore(machine: MachineSpec | undefined, { name, place }: SwarmSpec): void {
  const options = (machine?.flags["engine-opt"] ?? []) as readonly string[];
  const isOn = options.some((option) => {
    const [key, value = "true"] = option.split("=");
    const read = readBool(value);
    return key === "live-restore" && (!read.ok || read.value);
  });
  if (isOn)
    throw invalid(place, `"${machine?.name}" keeps live-restore, with which an engine is no member of a cluster (${name})`);
}

function warningsOf({ name, managers, place }: SwarmSpec): string[] {
  if (managers.length % 2 === 1) return [];
  const lost = managers.length / 2;
  return [
    `${place}: the cluster ${name} has ${managers.length} managers, and loses its majority with ${lost} of them as it would with one less`,
  ];
}
