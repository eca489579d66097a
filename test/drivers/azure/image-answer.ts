/** What the fake tells of the marketplace's images. */
import type { FakeAnswer } from "../../../src/testing/fake-api.ts";
import { ArmRefusal } from "./arm-entry.ts";
import { images } from "./catalogue.ts";

export function imageAnswer(
  [publisher = "", offer = "", sku = "", version]: readonly string[],
  query: URLSearchParams,
): FakeAnswer {
  const found = images[[publisher, offer, sku].join(":").toLowerCase()];
  if (found === undefined) throw new ArmRefusal(404, "NotFound", "Artifact: VMImage was not found.");
  if (version === undefined) {
    const all = query.get("$orderby") === "name desc" ? found.versions.toReversed() : found.versions;
    return { status: 200, body: all.slice(0, Number(query.get("$top") ?? all.length)).map((name) => ({ name })) };
  }
  if (!found.versions.includes(version)) throw new ArmRefusal(404, "NotFound", "Artifact: VMImage was not found.");
  const { architecture, hyperVGeneration, sizeInGb, plan } = found;
  return {
    status: 200,
    body: { name: version, properties: { architecture, hyperVGeneration, osDiskImage: { sizeInGb }, plan } },
  };
}
