/** `inspect`: a record as JSON or through a Go template, its secrets masked. Pure. */
import { MachineError, isMachineError } from "../../errors/machine-error.ts";
import {
  findMember,
  formatJson,
  jsonFrom,
  parseJson,
  plainFrom,
  stringOf,
  type JsonNode,
  type JsonString,
} from "../../gocompat/json.ts";
import { withoutSecrets } from "../../log/assignment-secrets.ts";
import { withoutMarks } from "../../machine/secrets/conceal.ts";
import type { Template } from "../../gocompat/template/template.ts";

const mask = "********";

/** Names of fields that hold credentials, in 0.16.2's fifteen drivers and in plugins'. */
const secretField = /^(?:.*(?:password|passwd|secret|token|apikey|credential).*|accesskey|accesskeyid|api_?key)$/iu;

/**
 * @param text config.json as it stands
 * @param format a Go template; "" for the whole record
 * Throws `template-invalid` in 0.16.2's words; where the template was begun, a `TemplateError` with what it had written.
 */
export async function renderInspect(text: string, format: string, secrets: "shown" | "masked"): Promise<string> {
  const record = secrets === "shown" ? undefined : maskRecord(parseJson(text));
  if (format === "") return record === undefined ? text : formatJson(record);
  return await executeFormat(format, plainFrom(record ?? parseJson(text)));
}

/** Templates are loaded where there is one: `inspect NAME` starts without them. */
async function executeFormat(format: string, data: unknown): Promise<string> {
  const [{ executeTemplate, parseTemplate }, { jsonFunctions }] = await Promise.all([
    import("../../gocompat/template/template.ts"),
    import("../../gocompat/json-format.ts"),
  ]);
  const parse = (): Template => {
    try {
      return parseTemplate("", format, { functions: jsonFunctions });
    } catch (error) {
      if (!isMachineError(error, "template-invalid")) throw error;
      throw new MachineError("template-invalid", `template parsing error: ${error.message}`, { cause: error, hint: error.hint });
    }
  };
  return executeTemplate(parse(), data);
}

/** The record with masked secrets, or undefined when it holds none and can be shown as it is. */
function maskRecord(record: JsonNode): JsonNode | undefined {
  const driverMasked = mapMember(record, ["Driver"], (driver) => (driver.kind === "object" ? maskNode(driver, "") : driver));
  const masked = mapMember(driverMasked, ["HostOptions", "EngineOptions", "Env"], maskAssignments);
  return masked === record ? undefined : masked;
}

/** The same node where nothing changes, or there is no such member. */
function mapMember(node: JsonNode, [key, ...path]: readonly string[], change: (value: JsonNode) => JsonNode): JsonNode {
  if (key === undefined) return change(node);
  const old = node.kind === "object" ? findMember(node, key) : undefined;
  if (node.kind !== "object" || old === undefined) return node;
  const value = mapMember(old, path, change);
  return value === old
    ? node
    : { ...node, members: node.members.map((member) => (member.value === old ? { ...member, value } : member)) };
}

function maskAssignments(list: JsonNode): JsonNode {
  if (list.kind !== "array") return list;
  const items = list.items.map((item) => {
    const text = item.kind === "string" ? stringOf(item) : "";
    const shown = withoutSecrets(text, mask);
    return shown === text ? item : jsonFrom(shown);
  });
  return items.some((item, index) => item !== list.items[index]) ? { ...list, items } : list;
}

/** The same node where there is nothing to mask. */
function maskNode(node: JsonNode, key: string): JsonNode {
  if (node.kind === "string") return maskString(node, key);
  if (node.kind === "array") {
    const items = node.items.map((item) => maskNode(item, key));
    return items.some((item, index) => item !== node.items[index]) ? { ...node, items } : node;
  }
  if (node.kind !== "object") return node;
  const members = node.members.map((member) => ({ ...member, value: maskNode(member.value, member.key) }));
  return members.some(({ value }, index) => value !== node.members[index]?.value) ? { ...node, members } : node;
}

/** An empty credential is no secret, and that it is empty is worth seeing. */
function maskString(node: JsonString, key: string): JsonString {
  const text = stringOf(node);
  const shown = text !== "" && secretField.test(key) ? mask : withoutMarks(text, mask);
  return shown === text ? node : (jsonFrom(shown) as JsonString);
}
