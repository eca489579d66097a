/**
 * What lists look at of a record. Records as 0.16.2 and we write them are read by the runtime's own parser, twenty times as
 * fast as the lossless one; what is otherwise in any way is left to that. Pure.
 */
import {
  currentConfigVersion,
  type EngineOptions,
  type HostExtra,
  type HostOptions,
  type HostRecord,
  type SwarmOptions,
} from "./host-record.ts";
import { hostOptions, type Fields } from "./record-fields.ts";

export interface RecordFacts {
  readonly name: string;
  readonly driverName: string;
  readonly engine: EngineOptions;
  readonly swarm: SwarmOptions;
  readonly extra: HostExtra;
}

/** With the `Driver` object, which is not kept where thousands of machines are listed. */
export interface RecordWithDriver extends RecordFacts {
  readonly driver: object;
}

/** One machine's record as it was found. */
export interface RecordLook<T> {
  readonly name: string;
  readonly value?: T;
  readonly error?: unknown;
}

const ownKeys: ReadonlySet<string> = new Set(["ConfigVersion", "Driver", "DriverName", "HostOptions", "Name", "Extra"]);

/** Undefined where the text is not plainly one of the current version; it may be readable all the same. */
export function readFacts(text: string, name: string): RecordWithDriver | undefined {
  const record = parsed(text);
  // Go takes a key in any spelling of upper and lower case.
  if (record === undefined || !Object.keys(record).every((key) => ownKeys.has(key))) return undefined;
  const { ConfigVersion: version, Driver: driver, DriverName: driverName, HostOptions: options, Extra: extra = {} } = record;
  if (version !== currentConfigVersion || !isObject(driver) || typeof driverName !== "string") return undefined;
  if (!isWholeHostOptions(options) || !isObject(extra)) return undefined;
  return {
    name,
    driverName,
    driver,
    engine: options.EngineOptions,
    swarm: options.SwarmOptions,
    extra: extra as HostExtra,
  };
}

export function factsOf({ name, driverName, driverConfigText, hostOptions, extra }: HostRecord): RecordWithDriver {
  const { EngineOptions: engine, SwarmOptions: swarm } = hostOptions;
  return { name, driverName, driver: JSON.parse(driverConfigText) as object, engine, swarm, extra };
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether a value that `JSON.parse` gave is `HostOptions` as 0.16.2 writes it: each field there under its very name, with a
 * value of its type, and none besides. What it says no to may still be readable, by the lossless parser.
 */
function isWholeHostOptions(value: unknown): value is HostOptions {
  return isWholeStruct(value, hostOptions);
}

function isWholeStruct(value: unknown, fields: Fields): boolean {
  if (typeof value !== "object" || value === null) return false;
  const struct = value as Record<string, unknown>;
  // Plain loops: this is gone through for every field of thousands of records.
  let count = 0;
  for (const field in fields) {
    const type = fields[field];
    const item = struct[field];
    if (typeof type === "object" ? !isWholeStruct(item, type) : type === "strings" ? !isStrings(item) : typeof item !== type)
      return false;
    count += 1;
  }
  for (const _ in struct) count -= 1;
  return count === 0;
}

function isStrings(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.every((item) => typeof item === "string"));
}
