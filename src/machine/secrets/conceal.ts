/**
 * Secrets in a driver's configuration, and marks in their place: `[secret:NAME]`. Texts in, texts out; a text without
 * secrets, or without marks, comes back as it was. Pure.
 */
import type { BaseConfig } from "../../driver-kit/base-config.ts";
import { formatJson, jsonFrom, parseJson, stringOf, type JsonNode } from "../../gocompat/json.ts";
import { isSecretName } from "../../log/secret-names.ts";

/** Shorter secrets are looked for as whole values only: as parts they would be found everywhere. */
const shortestPart = 8;

const marks = /\[secret:([\w.-]+)\]/gu;

/** Facts that every driver has, which tools read. A password that equals the user's name hides neither here. */
const openFields: readonly (keyof BaseConfig)[] = [
  "IPAddress",
  "MachineName",
  "SSHUser",
  "SSHKeyPath",
  "StorePath",
  "SwarmHost",
  "SwarmDiscovery",
];

export function markOf(name: string): string {
  return `[secret:${name}]`;
}

/** A text as a name that a mark can hold. */
export function nameFrom(text: string): string {
  return text.replaceAll(/[^\w.-]/gu, "_");
}

/** Whether a text holds a mark, or what may be one. */
export function mayBeMarked(text: string): boolean {
  return text.includes("[secret:");
}

/** Names of the secrets that a text holds marks of. */
export function marksIn(text: string): Set<string> {
  return new Set([...text.matchAll(marks)].map(([, name = ""]) => name));
}

export interface Concealed {
  readonly text: string;
  /** Values that were nobody's yet and whose fields are named like credentials, by the name they were given: the field's. */
  readonly found: ReadonlyMap<string, string>;
}

/**
 * Puts marks in the place of secrets: of the known ones by their value, of others where a field is named like a credential.
 * @param taken names that others must not get, because their values are not known now
 * @param isOpen whether a field holds no credential, though it is named like one
 */
export function conceal(
  configText: string,
  known: ReadonlyMap<string, string>,
  taken: Iterable<string> = [],
  isOpen: (field: string) => boolean = () => false,
): Concealed {
  const reserved = new Set(taken);
  const found = new Map<string, string>();
  const text = mapStrings(configText, (value, path) => {
    const key = path.at(-1) ?? "";
    if (value === "" || marksIn(value).size > 0 || (path.length === 1 && openFields.some((field) => field === key))) return value;
    const whole = namesOf(value, known, key)[0];
    if (whole !== undefined) return markOf(whole);
    const parts = [...known].filter(([, secret]) => secret.length >= shortestPart && value.includes(secret));
    if (parts.length > 0) return parts.reduce((rest, [name, secret]) => rest.replaceAll(secret, () => markOf(name)), value);
    if (!isSecretName(key) || isOpen(key)) return value;
    const isFree = (name: string): boolean => !reserved.has(name) && !known.has(name) && (found.get(name) ?? value) === value;
    const name = firstFree(nameFrom(path.join(".")), isFree);
    found.set(name, value);
    return markOf(name);
  });
  return { text, found };
}

/** The name itself, or with the first number behind it that makes it free. */
function firstFree(name: string, isFree: (name: string) => boolean): string {
  if (isFree(name)) return name;
  for (let number = 2; ; number += 1) if (isFree(`${name}-${number}`)) return `${name}-${number}`;
}

/** The secrets with this value, the one that is named like the field first. */
function namesOf(value: string, known: ReadonlyMap<string, string>, key: string): string[] {
  const names = [...known].filter(([, secret]) => secret === value).map(([name]) => name);
  return names.toSorted((a, b) => Number(isNamedLike(b, key)) - Number(isNamedLike(a, key)));
}

/** Whether a flag's name, `cloud-api-token`, is a field's, `ApiToken` or `Account.APIToken`, apart from spelling. */
export function isNamedLike(name: string, field: string): boolean {
  const letters = (text: string): string => text.replaceAll(/[^a-z0-9]/giu, "").toLowerCase();
  return field !== "" && letters(name).endsWith(letters(field));
}

/** Puts the secrets back. A mark whose secret is not known stays. */
export function reveal(text: string, known: ReadonlyMap<string, string>): string {
  if (!mayBeMarked(text)) return text;
  return mapStrings(text, (value) => revealValue(value, known));
}

/** The same for a value that is no configuration. */
export function revealValue(value: string, known: ReadonlyMap<string, string>): string {
  return value.replaceAll(marks, (mark, name: string) => known.get(name) ?? mark);
}

/** A value with something else in place of its marks. */
export function withoutMarks(value: string, replacement: string): string {
  return value.replaceAll(marks, replacement);
}

/** Sets the value of one field. */
export function withField(text: string, field: string, value: string): string {
  return mapStrings(text, (old, path) => (path.join(".") === field ? value : old));
}

/** All strings of a configuration, by the path of their field. */
export function stringsOf(text: string): Map<string, string> {
  const strings = new Map<string, string>();
  mapStrings(text, (value, path) => {
    strings.set(path.join("."), value);
    return value;
  });
  return strings;
}

type Change = (value: string, path: readonly string[]) => string;

/** A text in which nothing changes stays as it is, to the byte. */
function mapStrings(text: string, change: Change): string {
  const tree = parseJson(text);
  const changed = mapNode(tree, [], change);
  return changed === tree ? text : formatJson(changed, layoutOf(text));
}

/** Records are indented, the text of a driver is not. */
function layoutOf(text: string): string {
  return text.includes("\n") ? "    " : "";
}

function mapNode(node: JsonNode, path: readonly string[], change: Change): JsonNode {
  if (node.kind === "string") {
    const old = stringOf(node);
    const next = change(old, path);
    return next === old ? node : jsonFrom(next);
  }
  if (node.kind === "array") {
    const items = node.items.map((item, index) => mapNode(item, [...path, String(index)], change));
    return items.every((item, index) => item === node.items[index]) ? node : { ...node, items };
  }
  if (node.kind !== "object") return node;
  const members = node.members.map((member) => {
    const value = mapNode(member.value, [...path, member.key], change);
    return value === member.value ? member : { ...member, value };
  });
  return members.every((member, index) => member === node.members[index]) ? node : { ...node, members };
}
