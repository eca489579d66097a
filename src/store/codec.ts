/**
 * config.json to and from a host record. Everything the record does not hold (unknown keys, order, spelling of numbers)
 * is taken over from the text that is replaced. Pure: texts in, texts out; knows nothing of files.
 */
import { findMember, formatJson, jsonFrom, JsonSyntaxError, memberOf, parseJson, plainFrom } from "../gocompat/json.ts";
import type { JsonMember, JsonObject } from "../gocompat/json.ts";
import { overlayJson, respellJson } from "../gocompat/json-merge.ts";
import { MachineError } from "../errors/machine-error.ts";
import { currentConfigVersion, type HostExtra, type HostRecord } from "./host-record.ts";
import type { RecordPlace } from "./paths.ts";
import { objectAt, withMember, without } from "./json-edit.ts";
import { migrate } from "./migrate/migrate.ts";
import { decodeHostOptions, decodeString, encodeHostOptions, FieldTypeError } from "./record-fields.ts";

/** The text of config.json, understood. */
export interface DecodedRecord {
  readonly record: HostRecord;
  /** The version of the text; `record` is always of the current one. */
  readonly version: number;
  /** The text in the current version: the very text it was decoded from unless it had to be migrated. */
  readonly text: string;
}

/** Throws `record-unreadable`, `record-from-future`. */
export function decodeRecord(text: string, place: RecordPlace): DecodedRecord {
  return readable(place, () => {
    const { record, version, tree } = read(text, place);
    return { record, version, text: version === currentConfigVersion ? text : formatJson(tree) };
  });
}

/** A text to be written over the one it was made for. */
export interface EncodedRecord {
  readonly text: string;
  /** The text that is replaced is of an older version, and worth keeping. */
  readonly isMigration: boolean;
}

/**
 * What to replace `oldText` with; undefined when it says all of `record` already, however it is laid out. Throws as
 * {@link decodeRecord} when `oldText` cannot be read.
 */
export function encodeRecord(record: HostRecord, oldText: string | undefined, place: RecordPlace): EncodedRecord | undefined {
  if (oldText === undefined) return { text: encodeNewRecord(record), isMigration: false };
  const old = readable(place, () => read(oldText, place));
  const text = formatJson(mergeRecord(old.tree, treeFrom(record)));
  const isMigration = old.version < currentConfigVersion;
  return isMigration || text !== formatJson(old.tree) ? { text, isMigration } : undefined;
}

/** The text of a record that stands nowhere yet. */
export function encodeNewRecord(record: HostRecord): string {
  return formatJson(treeFrom(record));
}

function read(text: string, place: RecordPlace): { record: HostRecord; version: number; tree: JsonObject } {
  if (text.trim() === "") throw new UnreadableRecord("is empty");
  const tree = parseJson(withoutMark(text));
  if (tree.kind !== "object") throw new UnreadableRecord("is not a JSON object");
  const version = versionOf(tree);
  if (version > currentConfigVersion) {
    throw new MachineError(
      "record-from-future",
      "config version is from the future -- you should upgrade your Docker Machine client",
      {
        hint: `config.json of machine "${place.name}" has version ${version}; this program knows versions up to ${currentConfigVersion}.`,
      },
    );
  }
  const current = migrate(tree, version, place);
  return { record: recordFrom(current, place.name), version, tree: current };
}

/** Editors on Windows put a byte order mark before what they save. It goes with the next change. */
function withoutMark(text: string): string {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}

function versionOf(tree: JsonObject): number {
  const node = findMember(tree, "ConfigVersion");
  // The first version had no such key.
  if (node === undefined || node.kind === "null") return 0;
  const version = node.kind === "number" ? Number(node.text) : Number.NaN;
  if (!Number.isSafeInteger(version) || version < 0) throw new UnreadableRecord("has a ConfigVersion that is no version number");
  return version;
}

function recordFrom(tree: JsonObject, name: string): HostRecord {
  const driver = findMember(tree, "Driver");
  if (driver?.kind !== "object") throw new UnreadableRecord("has no Driver object");
  const extra = findExtra(tree);
  return {
    name,
    driverName: decodeString(findMember(tree, "DriverName"), "DriverName"),
    driverConfigText: formatJson(driver, ""),
    hostOptions: decodeHostOptions(findMember(tree, "HostOptions")),
    extra: extra === undefined ? {} : (plainFrom(extra) as HostExtra),
  };
}

function treeFrom(record: HostRecord): JsonObject {
  const extra = jsonFrom(record.extra) as JsonObject;
  const members: JsonMember[] = [
    memberOf("ConfigVersion", jsonFrom(currentConfigVersion)),
    memberOf("Driver", parseJson(record.driverConfigText)),
    memberOf("DriverName", jsonFrom(record.driverName)),
    memberOf("HostOptions", encodeHostOptions(record.hostOptions)),
    memberOf("Name", jsonFrom(record.name)),
  ];
  if (extra.members.length > 0) members.push(memberOf("Extra", extra));
  return { kind: "object", members };
}

/**
 * The driver's text replaces the old one as it is: a plugin's bytes are its own. `Extra` is a map of ours, so a key that
 * was deleted goes. Everything else is laid over what is there.
 */
function mergeRecord(old: JsonObject, fresh: JsonObject): JsonObject {
  const merged = overlayJson(old, fresh) as JsonObject;
  return withExtra(withMember(merged, "Driver", objectAt(fresh, "Driver")), findExtra(old), findExtra(fresh));
}

function withExtra(tree: JsonObject, old: JsonObject | undefined, fresh: JsonObject | undefined): JsonObject {
  if (fresh !== undefined) return withMember(tree, "Extra", respellJson(old ?? fresh, fresh));
  return old === undefined || old.members.length === 0 ? tree : without(tree, ["Extra"]);
}

function findExtra(tree: JsonObject): JsonObject | undefined {
  const extra = findMember(tree, "Extra");
  return extra?.kind === "object" ? extra : undefined;
}

/** What is wrong with a text, as the end of a sentence about it. */
class UnreadableRecord extends Error {}

function readable<T>(place: RecordPlace, reading: () => T): T {
  try {
    return reading();
  } catch (error) {
    const complaint = complaintOf(error);
    if (complaint === undefined) throw error;
    throw unreadableRecord(place.name, complaint, error);
  }
}

function complaintOf(error: unknown): string | undefined {
  if (error instanceof UnreadableRecord) return error.message;
  if (error instanceof FieldTypeError) return `holds a wrong value: ${error.message}`;
  if (!(error instanceof JsonSyntaxError)) return undefined;
  return error.truncated
    ? `is cut off: ${error.message}`
    : `is not JSON: line ${error.line}, column ${error.column}: ${error.message}`;
}

/** The error for a machine's folder without config.json; `unnamed` is a file that holds what it should. */
export function missingRecord(name: string, machineDir: string, unnamed: string | undefined): MachineError {
  const complaint = `is missing in ${machineDir}`;
  if (unnamed === undefined) return unreadableRecord(name, complaint);
  return new MachineError("record-unreadable", `config.json of machine "${name}" ${complaint}`, {
    hint: `A command that was cut off had written it already. Put it in its place with: mv '${unnamed}' '${machineDir}/config.json'`,
  });
}

/** The error for a config.json that is of no use; `complaint` ends the sentence `config.json of machine "x" …`. */
function unreadableRecord(name: string, complaint: string, cause?: unknown): MachineError {
  return new MachineError("record-unreadable", `config.json of machine "${name}" ${complaint}`, {
    cause,
    hint: `Restore it from a backup, or remove what is left of the machine with: docker-machine rm -f ${name}`,
  });
}
