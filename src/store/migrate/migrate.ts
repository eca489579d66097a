/**
 * Brings the text of an older config.json to the current version, one version at a time. Each step takes and gives a
 * tree, so that what no step knows is carried along. Pure.
 *
 * Version 0 (Docker Machine 0.1) kept paths and swarm options at the top level; 1 (0.2) put them into HostOptions; 2
 * (0.3) put the machine's folder into AuthOptions and named the CA's key for what it is; 3 (0.5) tells the driver where
 * the store is.
 */
import { overlayJson } from "../../gocompat/json-merge.ts";
import { findMember, jsonFrom, memberOf, type JsonMember, type JsonNode, type JsonObject } from "../../gocompat/json.ts";
import { currentConfigVersion } from "../host-record.ts";
import type { RecordPlace } from "../paths.ts";
import { decodeHostOptions, encodeHostOptions } from "../record-fields.ts";
import { fromVersion0 } from "./v0.ts";
import { fromVersion1 } from "./v1.ts";
import { fromVersion2 } from "./v2.ts";

const steps: readonly ((tree: JsonObject, place: RecordPlace) => JsonObject)[] = [fromVersion0, fromVersion1, fromVersion2];

/** The tree in the current version; the very tree when it is that already. */
export function migrate(tree: JsonObject, version: number, place: RecordPlace): JsonObject {
  if (version >= currentConfigVersion) return tree;
  return arrange(
    steps.slice(version).reduce((current, step) => step(current, place), tree),
    place,
  );
}

/** The keys of the current version in 0.16.2's order, then what is unknown. */
function arrange(tree: JsonObject, place: RecordPlace): JsonObject {
  const known: JsonMember[] = [
    memberOf("ConfigVersion", jsonFrom(currentConfigVersion)),
    memberOf("Driver", findMember(tree, "Driver") ?? { kind: "null" }),
    memberOf("DriverName", findMember(tree, "DriverName") ?? jsonFrom("")),
    memberOf("HostOptions", encodeHostOptions(decodeHostOptions(findMember(tree, "HostOptions")))),
    memberOf("Name", jsonFrom(place.name)),
  ];
  const renewed = new Set(["ConfigVersion", "Name"]);
  const rest: JsonNode = { kind: "object", members: tree.members.filter((member) => !renewed.has(member.key)) };
  return overlayJson({ kind: "object", members: known }, rest) as JsonObject;
}
