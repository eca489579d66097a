import assert from "node:assert/strict";
import { it } from "node:test";
import { builtinDrivers } from "./registry.ts";

/** They register the paths of a machine's files with the product, which would look for them in a folder that is gone. */
const registering = ["hyperv", "virtualbox", "vmwarefusion"];
/** Their resources bear the machine's name, by which the provider finds them. */
const naming = ["azure", "google"];

it("machines that are found by their folder or their name cannot be renamed", async () => {
  const modules = await Promise.all(Object.values(builtinDrivers).map(async (load) => await load()));
  const fixed = modules.filter(({ capabilities }) => capabilities.foundByName === true).map(({ name }) => name);
  assert.deepEqual(fixed.toSorted(), [...naming, ...registering].toSorted());
});
