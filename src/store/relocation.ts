/**
 * Records of a store that stands elsewhere now. They hold absolute paths; those of the old place are told by what the
 * record itself says of its store. Which of them are taken from the new place is the caller's to decide.
 */
import * as path from "node:path";
import { formatJson, jsonFrom, parseJson, stringOf } from "../gocompat/json.ts";
import type { AuthOptions, HostRecord } from "./host-record.ts";
import { mapStrings, partsBelow } from "./json-paths.ts";
import { machineDirOf } from "./paths.ts";

/** A path under the old store, and what has the same place in the store in use. */
export interface MovedPath {
  readonly from: string;
  readonly to: string;
}

/** The store that a record was made in; undefined where it does not say, or says the one in use. */
export function formerStoreRoot(record: HostRecord, storeRoot: string): string | undefined {
  const { StorePath } = record.hostOptions.AuthOptions;
  if (StorePath === "" || StorePath === machineDirOf(storeRoot, record.name)) return undefined;
  const parts = StorePath.split(/[/\\]/u);
  const isMachineDir = parts.at(-1) === record.name && parts.at(-2) === "machines" && parts.length > 3;
  if (!isMachineDir) return undefined;
  const root = StorePath.slice(0, StorePath.length - `/machines/${record.name}`.length);
  return root === storeRoot ? undefined : root;
}

/**
 * The folder of this store that a record says it is in, where that is another machine's: the name was changed, and the
 * record not yet. Undefined for one that says where it is.
 */
export function formerMachineDir(record: HostRecord, storeRoot: string): string | undefined {
  const { StorePath } = record.hostOptions.AuthOptions;
  const formerName = path.basename(StorePath);
  return formerName !== record.name && StorePath === machineDirOf(storeRoot, formerName) ? StorePath : undefined;
}

/** Puts the machine's name where the driver's configuration has the former one, as 0.16.2's drivers all have. */
export function withMachineName(record: HostRecord, formerName: string, name: string): HostRecord {
  const config = parseJson(record.driverConfigText);
  if (config.kind !== "object") return record;
  const members = config.members.map((member) => {
    const isName = member.key === "MachineName" && member.value.kind === "string" && stringOf(member.value) === formerName;
    return isName ? { ...member, value: jsonFrom(name) } : member;
  });
  return { ...record, driverConfigText: formatJson({ ...config, members }, "") };
}

/** Every path of a record that lies in its former store, or its former folder. */
export function pathsIn(record: HostRecord, formerRoot: string, storeRoot: string): MovedPath[] {
  const found = new Map<string, MovedPath>();
  const look = (text: string): string => {
    const to = counterpart(text, formerRoot, storeRoot);
    if (to !== undefined) found.set(text, { from: text, to });
    return text;
  };
  mapStrings(parseJson(record.driverConfigText), look);
  for (const value of Object.values(record.hostOptions.AuthOptions)) if (typeof value === "string") look(value);
  return [...found.values()];
}

/** Puts new paths for old ones into a record. */
export function withPaths(record: HostRecord, moved: readonly MovedPath[]): HostRecord {
  const places = new Map(moved.map(({ from, to }) => [from, to]));
  const put = (text: string): string => places.get(text) ?? text;
  const auth = record.hostOptions.AuthOptions;
  const entries = Object.entries(auth).map(([key, value]) => [key, typeof value === "string" ? put(value) : value]);
  return {
    ...record,
    driverConfigText: formatJson(mapStrings(parseJson(record.driverConfigText), put), ""),
    hostOptions: { ...record.hostOptions, AuthOptions: Object.fromEntries(entries) as unknown as AuthOptions },
  };
}

function counterpart(file: string, formerRoot: string, storeRoot: string): string | undefined {
  const parts = partsBelow(file, formerRoot);
  return parts === undefined ? undefined : path.join(storeRoot, ...parts);
}
