/** Paths in JSON that lie in one folder, told at both kinds of slashes: the store may have been another system's. */
import { jsonFrom, stringOf, type JsonNode } from "../gocompat/json.ts";

/** What of a path comes behind a folder; undefined for one that is not in it, or that leads out of it again. */
export function partsBelow(file: string, folder: string): string[] | undefined {
  if (file === folder) return [];
  if (!file.startsWith(folder) || !/^[/\\]/u.test(file.slice(folder.length))) return undefined;
  const parts = file
    .slice(folder.length)
    .split(/[/\\]/u)
    .filter((part) => part !== "");
  return parts.includes("..") ? undefined : parts;
}

/** What is no string stays the node that it was, spelling included. */
export function mapStrings(node: JsonNode, change: (text: string) => string): JsonNode {
  switch (node.kind) {
    case "string": {
      const [old, changed] = [stringOf(node), change(stringOf(node))];
      return changed === old ? node : jsonFrom(changed);
    }
    case "array":
      return { ...node, items: node.items.map((item) => mapStrings(item, change)) };
    case "object":
      return { ...node, members: node.members.map((member) => ({ ...member, value: mapStrings(member.value, change) })) };
    default:
      return node;
  }
}
