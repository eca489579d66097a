/** What Nova refuses of a request for a server: references to what is not there, and what does not fit together. */
import { refusedByNova, textOf, type Answer, type Json } from "./answers.ts";
import { images, serverGroups, zones } from "./catalogue.ts";
import type { FakeNeutron } from "./fake-neutron.ts";
import { flavorOf } from "./nova-forms.ts";

/** In the order in which Nova looks. */
export function whatIsWrong(
  wish: Json,
  hints: Json,
  keyPairs: ReadonlyMap<string, unknown>,
  neutron: FakeNeutron,
): Answer | undefined {
  const flavor = flavorOf(wish["flavorRef"]);
  const devices = (wish["block_device_mapping_v2"] ?? []) as readonly Json[];
  const image = images.find(({ id }) => id === (textOf(wish["imageRef"]) || devices[0]?.["uuid"]));
  if (flavor === undefined) return refusedByNova(400, `Flavor ${textOf(wish["flavorRef"])} could not be found.`);
  if (image === undefined) return refusedByNova(400, "Invalid imageRef provided.");
  if (image.status !== "active") return refusedByNova(400, `Image ${image.id} is not active.`);
  if (!keyPairs.has(textOf(wish["key_name"]))) return refusedByNova(400, "Invalid key_name provided.");
  if (flavor.disk === 0 && devices.length === 0)
    return refusedByNova(403, "Only volume-backed servers are allowed for flavors with zero disk.");
  if (devices.length === 0 && image.min_disk > flavor.disk)
    return refusedByNova(
      400,
      "Flavor's disk is too small for requested image. Flavor disk is smaller than the minimum size specified in image metadata.",
    );
  if (devices.some((device) => device["source_type"] === "image" && device["volume_size"] === undefined))
    return refusedByNova(400, "Block Device Mapping is Invalid: No volume size");
  const zone = textOf(wish["availability_zone"]).split(":")[0] ?? "";
  if (zone !== "" && !zones.some(({ zoneName, zoneState }) => zoneName === zone && zoneState.available))
    return refusedByNova(400, "The requested availability zone is not available");
  if (hints["group"] !== undefined && !serverGroups.some(({ id }) => id === hints["group"]))
    return refusedByNova(400, `Instance group ${textOf(hints["group"])} could not be found.`);
  return networkProblem(wish, neutron);
}

function networkProblem({ networks: wanted }: Json, { networks }: FakeNeutron): Answer | undefined {
  for (const { uuid } of (wanted ?? []) as readonly { uuid?: string }[]) {
    const network = networks.find(({ id }) => id === uuid);
    if (network === undefined) return refusedByNova(400, `Network ${uuid} could not be found.`);
    if (network.external && !network.shared)
      return refusedByNova(403, `It is not allowed to create an interface on external network ${uuid}`);
    if (Object.keys(network.subnets).length === 0)
      return refusedByNova(400, `Network ${uuid} requires a subnet in order to boot instances on.`);
  }
  return undefined;
}
