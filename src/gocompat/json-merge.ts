/**
 * Puts new values into an old JSON text without touching what did not change: order of keys, unknown keys, and the
 * spelling of numbers and strings stay. Pure.
 */
import { formatJson, parseJson, sameField, stringOf, type JsonMember, type JsonNode, type JsonObject } from "./json.ts";

/** How an object is read: as Go's struct (unknown keys stay, case does not matter) or as a map (exactly the new keys). */
type Reading = "struct" | "map";

/**
 * The value of `next`, spelled as `old` where both mean the same. Numbers are the same when they are the same double, so
 * a 64-bit number survives having been through JavaScript. Keys keep `old`'s order, new ones follow.
 */
export function respellJson(old: JsonNode, next: JsonNode): JsonNode {
  return merge(old, next, "map");
}

/** {@link respellJson} on texts; the result is compact. For a driver's configuration: stored text, new text. */
export function respellJsonText(oldText: string, nextText: string): string {
  return formatJson(respellJson(parseJson(oldText), parseJson(nextText)), "");
}

/**
 * Lays the fields of `next` over `old` as a Go program would that knows only these fields, except that keys it does not
 * know are kept. A field that `old` lacks, or has as null, is written only when it holds more than Go's zero value.
 */
export function overlayJson(old: JsonNode, next: JsonNode): JsonNode {
  return merge(old, next, "struct");
}

function merge(old: JsonNode, next: JsonNode, reading: Reading): JsonNode {
  if (old.kind === "object" && next.kind === "object") return mergeObjects(old, next, reading);
  if (old.kind === "array" && next.kind === "array") {
    // Elements have no names, so an object in a list is always taken as a whole.
    return { kind: "array", items: next.items.map((item, index) => mergeOptional(old.items[index], item)) };
  }
  if (reading === "struct" && old.kind === "null" && isZeroJson(next)) return old;
  return sameScalar(old, next) ? old : next;
}

function mergeOptional(old: JsonNode | undefined, next: JsonNode): JsonNode {
  return old === undefined ? next : merge(old, next, "map");
}

function mergeObjects(old: JsonObject, next: JsonObject, reading: Reading): JsonObject {
  const isSame = reading === "struct" ? sameField : (a: string, b: string) => a === b;
  const kept: JsonMember[] = [];
  for (const [index, member] of old.members.entries()) {
    const replacement = next.members.findLast((candidate) => isSame(member.key, candidate.key));
    if (replacement === undefined) {
      if (reading === "struct") kept.push(member);
      continue;
    }
    const isShadowed = old.members.some((other, at) => at > index && isSame(other.key, replacement.key));
    kept.push(isShadowed ? member : { ...member, value: merge(member.value, replacement.value, reading) });
  }
  const isNew = (member: JsonMember): boolean => !old.members.some((other) => isSame(other.key, member.key));
  const added = next.members.filter((member) => isNew(member) && (reading === "map" || !isZeroJson(member.value)));
  return { kind: "object", members: [...kept, ...added] };
}

function sameScalar(old: JsonNode, next: JsonNode): boolean {
  if (old.kind === "number" && next.kind === "number") return Number(old.text) === Number(next.text);
  if (old.kind === "string" && next.kind === "string") return stringOf(old).toWellFormed() === stringOf(next).toWellFormed();
  if (old.kind === "boolean" && next.kind === "boolean") return old.value === next.value;
  return old.kind === "null" && next.kind === "null";
}

/** Go's zero value of a field: "", 0, false, nil, or a struct of such. An empty list is not nil. */
export function isZeroJson(node: JsonNode): boolean {
  switch (node.kind) {
    case "null":
      return true;
    case "boolean":
      return !node.value;
    case "number":
      return Number(node.text) === 0;
    case "string":
      return stringOf(node) === "";
    case "array":
      return false;
    case "object":
      return node.members.every((member) => isZeroJson(member.value));
  }
}
