/** Small edits of JSON objects. Keys are found as Go finds a field: without case. Pure. */
import { findMember, jsonFrom, memberOf, sameField, stringOf, type JsonNode, type JsonObject } from "../gocompat/json.ts";

/** The object with a member set: where it has it (the last one, if doubled), else at the end. */
export function withMember(object: JsonObject, key: string, value: JsonNode): JsonObject {
  const index = object.members.findLastIndex((member) => sameField(member.key, key));
  const old = object.members[index];
  if (old === undefined) return { kind: "object", members: [...object.members, memberOf(key, value)] };
  return { kind: "object", members: object.members.with(index, { ...old, value }) };
}

/** The object without the members of these names. */
export function without(object: JsonObject, keys: readonly string[]): JsonObject {
  return { kind: "object", members: object.members.filter((member) => !keys.some((key) => sameField(member.key, key))) };
}

/** The member's object, or an empty one. */
export function objectAt(object: JsonNode | undefined, key: string): JsonObject {
  const found = findMember(object, key);
  return found?.kind === "object" ? found : { kind: "object", members: [] };
}

/** The member's text; undefined when it is missing, empty or no string. */
export function textAt(object: JsonNode | undefined, key: string): string | undefined {
  const found = findMember(object, key);
  return found?.kind === "string" && stringOf(found) !== "" ? stringOf(found) : undefined;
}

/** A member under a new name in the same place. */
export function renamed(object: JsonObject, from: string, to: string): JsonObject {
  return {
    kind: "object",
    members: object.members.map((member) => (sameField(member.key, from) ? memberOf(to, member.value) : member)),
  };
}

/** A string node. */
export function text(value: string): JsonNode {
  return jsonFrom(value);
}
