/**
 * Google's own description of Compute Engine, as its package `@googleapis/compute` has it: which requests there are, and
 * which fields of which types their bodies may have. What the driver sends is held against it, so that driver and fake cannot
 * agree on an invention.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";

const folder = path.dirname(createRequire(import.meta.url).resolve("@googleapis/compute"));
const declarations = readFileSync(path.join(folder, "v1.d.ts"), "utf8");
const client = readFileSync(path.join(folder, "v1.js"), "utf8");

const routes = [...client.matchAll(/'(\/compute\/v1\/[^']+)'\)\.replace\([^\n]*\n\s*method: '([A-Z]+)'/gu)].map(
  ([, template = "", method = ""]) => ({
    method,
    pattern: new RegExp(
      `^${template
        .replaceAll(/\{[^}]+\}/gu, "[^/]+")
        .replaceAll("+", "\\+")
        .replaceAll("[^/]\\+", "[^/]+")}$`,
      "u",
    ),
  }),
);

/** Whether Google has such a request. @param url without host and query */
export function isKnownRequest(method: string, url: string): boolean {
  return routes.some((route) => route.method === method && route.pattern.test(url));
}

const schemas = new Map<string, ReadonlyMap<string, string>>();
for (const [, name = "", body = ""] of declarations.matchAll(/^ {4}export interface Schema\$(\w+) \{\n([\s\S]*?)^ {4}\}/gmu))
  schemas.set(name, new Map([...body.matchAll(/^ {8}(\w+)\?: (.*?);?$/gmu)].map(([, field = "", type = ""]) => [field, type])));

/** What is wrong with a value of a type; empty where nothing is. */
export function problemsOf(schemaName: string, value: unknown, at = schemaName): readonly string[] {
  const schema = schemas.get(schemaName);
  if (schema === undefined) return [`${at}: Google has no type ${schemaName}`];
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at} is no object`];
  return Object.entries(value).flatMap(([field, inner]) => {
    const type = schema.get(field);
    return type === undefined
      ? [`Invalid JSON payload: unknown name "${field}" at ${at}`]
      : fieldProblems(type, inner, `${at}.${field}`);
  });
}

function fieldProblems(declared: string, value: unknown, at: string): readonly string[] {
  const type = declared.replace(" | null", "");
  const listOf = /^(?:Array<)?(?:Schema\$)?(\w+)(?:\[\]|>)$/u.exec(type)?.[1];
  if (listOf !== undefined || type.startsWith("Array<")) {
    if (!Array.isArray(value)) return [`${at} is no list`];
    const isNamed = type.startsWith("Schema$");
    return value.flatMap((item, index) => {
      if (isNamed) return problemsOf(String(listOf), item, `${at}[${index}]`);
      return listOf === undefined ? [] : fieldProblems(listOf, item, `${at}[${index}]`);
    });
  }
  const named = /^Schema\$(\w+)$/u.exec(type)?.[1];
  if (named !== undefined) return problemsOf(named, value, at);
  if (type === "string" || type === "number" || type === "boolean") return typeof value === type ? [] : [`${at} is no ${type}`];
  return [];
}
