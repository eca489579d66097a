/**
 * What 0.16.2 drops when it saves a record, kept in a file that it does not write: our `Extra`, and keys that a driver of
 * ours has and 0.16.2's of the same name has not. Pure: texts in, texts out.
 */
import {
  findMember,
  formatJson,
  jsonFrom,
  JsonSyntaxError,
  memberOf,
  parseJson,
  plainFrom,
  type JsonNode,
  type JsonObject,
} from "../gocompat/json.ts";
import { objectAt } from "./json-edit.ts";
import type { HostExtra, HostRecord } from "./host-record.ts";

/** The file's text for a record; undefined where 0.16.2 would drop nothing of worth. */
export function keptText({ extra, driverConfigText }: HostRecord, driverKeys: readonly string[]): string | undefined {
  const config = parseJson(driverConfigText);
  const members = driverKeys.flatMap((key) => {
    const value = findMember(config, key);
    return value === undefined || isEmpty(plainFrom(value)) ? [] : [memberOf(key, value)];
  });
  if (members.length === 0 && Object.keys(extra).length === 0) return undefined;
  const kept: JsonObject = {
    kind: "object",
    members: [memberOf("Driver", { kind: "object", members }), memberOf("Extra", jsonFrom(extra))],
  };
  return `${formatJson(kept)}\n`;
}

/**
 * The record with what was dropped of it: all of `Extra` goes at once, keys of the driver only as they are missing. A text
 * that cannot be read gives nothing back.
 */
export function withKept(record: HostRecord, text: string): HostRecord {
  const kept = readOrNothing(text);
  const config = parseJson(record.driverConfigText) as JsonObject;
  const missing = objectAt(kept, "Driver").members.filter((member) => findMember(config, member.key) === undefined);
  const driver: JsonObject = { kind: "object", members: [...config.members, ...missing] };
  return {
    ...record,
    extra: plainFrom(objectAt(kept, "Extra")) as HostExtra,
    driverConfigText: missing.length === 0 ? record.driverConfigText : formatJson(driver, ""),
  };
}

/** Whether the kept keys say that the machine is protected: its own record may be unreadable. */
export function protectionIn(text: string): boolean {
  return (plainFrom(objectAt(readOrNothing(text), "Extra")) as HostExtra).Protected === true;
}

function readOrNothing(text: string): JsonNode | undefined {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof JsonSyntaxError) return undefined;
    throw error;
  }
}

function isEmpty(value: unknown): boolean {
  return value === "" || value === 0 || value === false || value === null || (Array.isArray(value) && value.length === 0);
}
