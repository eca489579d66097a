/**
 * The fields of config.json and their types, in the order in which 0.16.2 writes them: the one place that knows the
 * schema. Decoding and encoding follow these tables. Pure.
 */
import { findMember, jsonFrom, memberOf, plainFrom, type JsonNode, type JsonObject } from "../gocompat/json.ts";
import type { AuthOptions, EngineOptions, HostOptions, SwarmOptions } from "./host-record.ts";

type Scalar = "string" | "number" | "boolean" | "strings";
export type Fields = { readonly [field: string]: Scalar | Fields };

const engineOptions = {
  ArbitraryFlags: "strings",
  Dns: "strings",
  GraphDir: "string",
  Env: "strings",
  Ipv6: "boolean",
  InsecureRegistry: "strings",
  Labels: "strings",
  LogLevel: "string",
  StorageDriver: "string",
  SelinuxEnabled: "boolean",
  TlsVerify: "boolean",
  RegistryMirror: "strings",
  InstallURL: "string",
} as const satisfies Record<keyof EngineOptions, Scalar>;

const swarmOptions = {
  IsSwarm: "boolean",
  Address: "string",
  Discovery: "string",
  Agent: "boolean",
  Master: "boolean",
  Host: "string",
  Image: "string",
  Strategy: "string",
  Heartbeat: "number",
  Overcommit: "number",
  ArbitraryFlags: "strings",
  ArbitraryJoinFlags: "strings",
  Env: "strings",
  IsExperimental: "boolean",
} as const satisfies Record<keyof SwarmOptions, Scalar>;

const authOptions = {
  CertDir: "string",
  CaCertPath: "string",
  CaPrivateKeyPath: "string",
  CaCertRemotePath: "string",
  ServerCertPath: "string",
  ServerKeyPath: "string",
  ClientKeyPath: "string",
  ServerCertRemotePath: "string",
  ServerKeyRemotePath: "string",
  ClientCertPath: "string",
  ServerCertSANs: "strings",
  StorePath: "string",
} as const satisfies Record<keyof AuthOptions, Scalar>;

export const hostOptions = {
  Driver: "string",
  Memory: "number",
  Disk: "number",
  EngineOptions: engineOptions,
  SwarmOptions: swarmOptions,
  AuthOptions: authOptions,
} as const satisfies Record<keyof HostOptions, Scalar | Fields>;

/** A value of the wrong type in an otherwise valid JSON text. */
export class FieldTypeError extends TypeError {}

/** Reads `HostOptions`; what is missing or null has Go's zero value. Throws {@link FieldTypeError}. */
export function decodeHostOptions(node: JsonNode | undefined): HostOptions {
  return decodeStruct(node, hostOptions, "HostOptions") as unknown as HostOptions;
}

/** Writes `HostOptions` with the fields in 0.16.2's order. */
export function encodeHostOptions(options: HostOptions): JsonObject {
  return encodeStruct(options as unknown as Record<string, unknown>, hostOptions);
}

/** Go's zero value: empty strings, zeros, false, and null for every list. */
export function zeroHostOptions(): HostOptions {
  return decodeHostOptions(undefined);
}

/** Reads a field that holds a string, "" when it is missing. Throws {@link FieldTypeError}. */
export function decodeString(node: JsonNode | undefined, path: string): string {
  return decodeScalar(node, "string", path) as string;
}

function decodeStruct(node: JsonNode | undefined, fields: Fields, path: string): Record<string, unknown> {
  if (node !== undefined && node.kind !== "object" && node.kind !== "null") throw wrongType(node, "an object", path);
  const decoded = Object.entries(fields).map(([field, type]) => {
    const value = findMember(node, field);
    const fieldPath = `${path}.${field}`;
    return [field, typeof type === "string" ? decodeScalar(value, type, fieldPath) : decodeStruct(value, type, fieldPath)];
  });
  return Object.fromEntries(decoded) as Record<string, unknown>;
}

const zeroValues: Record<Scalar, unknown> = { string: "", number: 0, boolean: false, strings: null };

function decodeScalar(node: JsonNode | undefined, type: Scalar, path: string): unknown {
  if (node === undefined || node.kind === "null") return zeroValues[type];
  if (type !== "strings") {
    if (node.kind !== type) throw wrongType(node, `a ${type}`, path);
    return plainFrom(node);
  }
  if (node.kind !== "array") throw wrongType(node, "a list of strings", path);
  return node.items.map((item, index) => decodeString(item, `${path}[${index}]`));
}

function wrongType(node: JsonNode, wanted: string, path: string): FieldTypeError {
  const article = node.kind === "array" || node.kind === "object" ? "an" : "a";
  return new FieldTypeError(`${path} is ${article} ${node.kind}, not ${wanted}`);
}

function encodeStruct(value: Record<string, unknown>, fields: Fields): JsonObject {
  const members = Object.entries(fields).map(([field, type]) => {
    const item = value[field];
    return memberOf(
      field,
      typeof type === "string" ? jsonFrom(item ?? null) : encodeStruct(item as Record<string, unknown>, type),
    );
  });
  return { kind: "object", members };
}
