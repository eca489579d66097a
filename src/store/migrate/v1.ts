/**
 * Version 1 to 2: the machine's folder moves into AuthOptions, which learn the certificates' folder, and the CA's key
 * gets its name. 0.16.2 put the store's root where the machine's folder belongs; provisioning then copied certificates
 * to the wrong place.
 */
import type { JsonObject } from "../../gocompat/json.ts";
import { objectAt, renamed, text, textAt, withMember, without } from "../json-edit.ts";
import { certsDirOf, machineDirOf, storeRootOf, type RecordPlace } from "../paths.ts";

export function fromVersion1(tree: JsonObject, place: RecordPlace): JsonObject {
  const machineDir = textAt(tree, "StorePath") ?? machineDirOf(place.storeRoot, place.name);
  const options = objectAt(tree, "HostOptions");
  let auth = renamed(objectAt(options, "AuthOptions"), "PrivateKeyPath", "CaPrivateKeyPath");
  auth = withMember(auth, "CertDir", text(textAt(auth, "CertDir") ?? certsDirOf(storeRootOf(machineDir))));
  auth = withMember(auth, "StorePath", text(machineDir));
  return withMember(without(tree, ["StorePath"]), "HostOptions", withMember(options, "AuthOptions", auth));
}
