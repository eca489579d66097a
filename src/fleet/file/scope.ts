/**
 * What `defaults`, a range or a single machine says: its keys, each with its place, before it is known which driver they
 * are for. Scopes are laid over each other: maps by key, lists as a whole, `null` takes away.
 */
import { entriesOf, isNothing, type Place, type Written, type WrittenEntry } from "../../system/yaml-text.ts";
import { invalid, isPrivateKey, knownEntries } from "./complaint.ts";

/** The keys below `engine`, and the create flags that they are. */
export const engineKeys = {
  version: "engine-version",
  source: "engine-source",
  opts: "engine-opt",
  env: "engine-env",
  labels: "engine-label",
  "insecure-registries": "engine-insecure-registry",
  "registry-mirrors": "engine-registry-mirror",
  "storage-driver": "engine-storage-driver",
  "package-mirror": "engine-package-mirror",
  "package-keys": "engine-package-key",
  "install-url": "engine-install-url",
  firewall: "engine-firewall",
  "allow-removal": "engine-allow-removal",
  "share-ca": "engine-share-ca",
} as const;

/** The keys of a machine that are no create flags by their very name. */
export const machineKeys = ["driver", "engine", "labels", "protect", "transport"] as const;

/** One thing that is said: a create flag, a label, or another key of a machine. */
export interface Saying {
  /** As the file has it, for messages: `engine.version`. */
  readonly shown: string;
  readonly place: Place;
  readonly value: Written;
}

export interface Scope {
  /** For messages: `defaults`, `web-[1-3]`. */
  readonly title: string;
  readonly place: Place;
  readonly flags: ReadonlyMap<string, Saying>;
  readonly labels: ReadonlyMap<string, Saying>;
  readonly others: ReadonlyMap<"driver" | "protect", Saying>;
  /** What of all scopes before does not count: all labels, or all that is said of the engine. */
  readonly clears: ReadonlySet<"labels" | "engine">;
}

export function emptyScope(title: string, place: Place): Scope {
  return { title, place, flags: new Map(), labels: new Map(), others: new Map(), clears: new Set() };
}

/** Throws `fleet-invalid` for what no machine can have, whatever its driver, and for what is said twice. */
export function readScope(written: Written, title: string, place: Place): Scope {
  const flags = new Map<string, Saying>();
  const others = new Map<"driver" | "protect", Saying>();
  const clears = new Set<"labels" | "engine">();
  let labels: ReadonlyMap<string, Saying> = new Map();
  const say = (flag: string, entry: WrittenEntry, shown = entry.key): void => {
    const before = flags.get(flag);
    if (before !== undefined) throw invalid(entry.place, `${shown} says again what ${before.shown} says`);
    flags.set(flag, { shown, place: entry.place, value: entry.value });
  };
  for (const entry of entriesOf(written, title, invalid)) {
    const { key, value } = entry;
    if (isPrivateKey(key)) continue;
    if (key === "driver" || key === "protect") others.set(key, { shown: key, place: entry.place, value });
    else if (key === "transport") say("engine-transport", entry);
    else if (key === "labels") {
      if (isNothing(value)) clears.add("labels");
      labels = readLabels(value);
    } else if (key === "engine") {
      if (isNothing(value)) clears.add("engine");
      for (const each of knownEntries(value, "engine", Object.keys(engineKeys)).values())
        say(engineKeys[each.key as keyof typeof engineKeys], each, `engine.${each.key}`);
    } else say(key, entry);
  }
  return { title, place, flags, labels, others, clears };
}

function readLabels(written: Written): ReadonlyMap<string, Saying> {
  const entries = entriesOf(written, "labels", invalid);
  return new Map(entries.map(({ key, place, value }) => [key, { shown: `labels.${key}`, place, value }]));
}

/** What counts of several scopes, the later weighing more. */
export function layered(scopes: readonly Scope[]): Pick<Scope, "flags" | "labels" | "others"> {
  const flags = new Map<string, Saying>();
  const labels = new Map<string, Saying>();
  const others = new Map<"driver" | "protect", Saying>();
  for (const scope of scopes) {
    if (scope.clears.has("labels")) labels.clear();
    if (scope.clears.has("engine")) for (const flag of Object.values(engineKeys)) flags.delete(flag);
    lay(flags, scope.flags);
    lay(labels, scope.labels);
    lay(others, scope.others);
  }
  return { flags, labels, others };
}

function lay<Key>(onto: Map<Key, Saying>, sayings: ReadonlyMap<Key, Saying>): void {
  for (const [key, saying] of sayings) {
    if (isNothing(saying.value)) onto.delete(key);
    else onto.set(key, saying);
  }
}
