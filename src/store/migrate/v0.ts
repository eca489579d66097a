/**
 * Version 0 to 1: paths and swarm options move from the top level into HostOptions. Docker Machine 0.1 had only the top
 * level; 0.2 and 0.3 wrote both, with the top level empty, and 0.16.2 lost their engine options here.
 */
import { isZeroJson } from "../../gocompat/json-merge.ts";
import { findMember, jsonFrom, type JsonNode, type JsonObject } from "../../gocompat/json.ts";
import * as path from "node:path";
import { objectAt, text, textAt, withMember, without } from "../json-edit.ts";

const authKeys = {
  CaCertPath: "CaCertPath",
  PrivateKeyPath: "PrivateKeyPath",
  ServerCertPath: "ServerCertPath",
  ServerKeyPath: "ServerKeyPath",
  ClientKeyPath: "ClientKeyPath",
  ClientCertPath: "ClientCertPath",
};

const swarmKeys = { SwarmDiscovery: "Discovery", SwarmHost: "Host", SwarmMaster: "Master" };

/** What Docker Machine 0.1 left no choice about. */
const engineDefaults = jsonFrom({ TlsVerify: true, InstallURL: "https://get.docker.com" });

export function fromVersion0(tree: JsonObject): JsonObject {
  let options = objectAt(tree, "HostOptions");
  if (isUnset(findMember(options, "EngineOptions"))) options = withMember(options, "EngineOptions", engineDefaults);
  options = withMember(options, "SwarmOptions", filled(objectAt(options, "SwarmOptions"), tree, swarmKeys));
  options = withMember(options, "AuthOptions", withClientKey(filled(objectAt(options, "AuthOptions"), tree, authKeys)));
  return withMember(without(tree, Object.keys({ ...authKeys, ...swarmKeys })), "HostOptions", options);
}

/** `target` with what it lacks from the top level. */
function filled(target: JsonObject, tree: JsonObject, keys: Readonly<Record<string, string>>): JsonObject {
  return Object.entries(keys).reduce((current, [from, to]) => {
    const value = findMember(tree, from);
    return value !== undefined && isUnset(findMember(current, to)) ? withMember(current, to, value) : current;
  }, target);
}

/** Docker Machine 0.1 did not say where the client's key is: beside its certificate. */
function withClientKey(auth: JsonObject): JsonObject {
  const certificate = textAt(auth, "ClientCertPath");
  if (certificate === undefined || textAt(auth, "ClientKeyPath") !== undefined) return auth;
  return withMember(auth, "ClientKeyPath", text(path.join(path.dirname(certificate), "key.pem")));
}

function isUnset(node: JsonNode | undefined): boolean {
  return node === undefined || isZeroJson(node);
}
