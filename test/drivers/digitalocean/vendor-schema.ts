/**
 * The vendor's own description of its API (openapi.json: github.com/digitalocean/openapi, Apache-2.0, without texts), and
 * what in a request or an answer does not fit it. So driver and fake cannot agree on something that it does not say.
 */
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { Ajv, type ValidateFunction } from "ajv";

interface Parameter {
  readonly name: string;
  readonly in: "query" | "path";
}

interface Operation {
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: object;
  /** By status; `error` is the form of every refusal. */
  readonly responses: Readonly<Record<string, object | null>>;
}

interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: object;
}

const description = JSON.parse(readFileSync(path.join(import.meta.dirname, "openapi.json"), "utf8")) as Description;

/** DigitalOcean has these too (its reference, "Retrieve an Existing Image"); the description at hand does not. */
const undescribed: readonly RegExp[] = [/^GET \/v2\/images\/[^/]+$/u];

export interface Exchange {
  readonly method: string;
  readonly url: URL;
  readonly body: unknown;
}

/** In words; empty where all fits. */
export function misfitsOfRequest(exchange: Exchange): readonly string[] {
  const name = nameOf(exchange);
  if (undescribed.some((pattern) => pattern.test(name))) return [];
  const operation = operationOf(exchange);
  if (operation === undefined) return [`${name} is not described`];
  const known = new Set(operation.parameters?.filter((each) => each.in === "query").map((each) => each.name));
  const unknown = [...exchange.url.searchParams.keys()].filter((key) => !known.has(key));
  const wanted =
    operation.requestBody === undefined || exchange.body === undefined ? [] : misfits(operation.requestBody, exchange.body);
  return [...unknown.map((key) => `${name} takes no ${key}`), ...wanted.map((each) => `${name}: ${each}`)];
}

export function misfitsOfAnswer(exchange: Exchange, status: number, answer: unknown): readonly string[] {
  const operation = operationOf(exchange);
  if (operation === undefined) return [];
  const schema = operation.responses[status >= 400 ? "error" : String(status)];
  if (schema === undefined) return [`${nameOf(exchange)} is never answered with ${status}`];
  return schema === null ? [] : misfits(schema, answer).map((each) => `answer ${status} to ${nameOf(exchange)}: ${each}`);
}

function nameOf({ method, url }: Exchange): string {
  return `${method} ${url.pathname}`;
}

function operationOf({ method, url }: Exchange): Operation | undefined {
  const template = Object.keys(description.paths).find((each) =>
    new RegExp(`^${each.replaceAll(/\{\w+\}/gu, "[^/]+")}$`, "u").test(url.pathname),
  );
  return template === undefined ? undefined : description.paths[template]?.[method.toLowerCase()];
}

const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false, unicodeRegExp: false });
const compiled = new Map<object, ValidateFunction>();

function misfits(schema: object, value: unknown): readonly string[] {
  let validate = compiled.get(schema);
  if (validate === undefined) compiled.set(schema, (validate = ajv.compile({ ...schema, components: description.components })));
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath || "it"} ${message}`);
}
