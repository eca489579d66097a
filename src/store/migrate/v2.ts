/** Version 2 to 3: the driver, which may be a program of its own since then, learns where the store is. */
import * as path from "node:path";
import { findMember, type JsonObject } from "../../gocompat/json.ts";
import type { RecordPlace } from "../paths.ts";
import { objectAt, text, textAt, withMember } from "../json-edit.ts";

export function fromVersion2(tree: JsonObject, place: RecordPlace): JsonObject {
  const driver = findMember(tree, "Driver");
  if (driver?.kind !== "object") return tree;
  // The store as the record's other paths have it: they move together or not at all.
  const certsDir = textAt(objectAt(objectAt(tree, "HostOptions"), "AuthOptions"), "CertDir");
  const root = certsDir === undefined ? place.storeRoot : path.dirname(certsDir);
  return withMember(tree, "Driver", withMember(driver, "StorePath", text(root)));
}
