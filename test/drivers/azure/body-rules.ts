/** What Azure refuses in a body: names that are none, what is missing, what does not fit, and references to nothing. */
import { images, sizes, subscriptionId } from "./catalogue.ts";
import { ArmRefusal, propertiesOf, referencesOf, tagsOf, type FakeEntry, type Json } from "./arm-entry.ts";
import { ipConfigurationNames, osDiskNames, osProfileNames, propertyNames, ruleNames, topNames } from "./vendor-types.ts";

/** What there is besides. */
interface Manager {
  readonly entries: ReadonlyMap<string, FakeEntry>;
  entry(id: string): FakeEntry | undefined;
}

/** The refusal; undefined where all is well. */
export function whatIsWrong(type: string, id: string, body: Json, azure: Manager): ArmRefusal | undefined {
  const isSubnet = type.endsWith("/subnets");
  if (!isSubnet && typeof body["location"] !== "string") return bad("LocationRequired", "The location property is required");
  if (Object.keys(tagsOf(body)).length > 50) return bad("TooManyTags", "There are more than 50 tags");
  const strange =
    unknownName(body, topNames) ?? unknownName(propertiesOf(body), propertyNames[type] ?? new Set()) ?? unknownWithin(type, body);
  if (strange !== undefined)
    return bad("InvalidRequestContent", `Could not find member '${strange}' on object of type '${type}'`);
  const parent = id.split("/subnets/")[0] ?? "";
  if (isSubnet && azure.entry(parent) === undefined)
    return new ArmRefusal(404, "ParentResourceNotFound", `There is no ${parent}`);
  return missingReference({ type, body }, azure) ?? (rules[type]?.(body, azure, id) || undefined);
}

function bad(code: string, message: string): ArmRefusal {
  return new ArmRefusal(400, code, message);
}

function unknownName(given: unknown, known: ReadonlySet<string>): string | undefined {
  return Object.keys((given ?? {}) as Json).find((name) => !known.has(name));
}

function unknownWithin(type: string, body: Json): string | undefined {
  const { storageProfile, osProfile, ipConfigurations, securityRules } = propertiesOf(body) as Record<string, Json & Json[]>;
  const within = (list: Json[] | undefined, known: ReadonlySet<string>): string | undefined =>
    (list ?? []).map((one) => unknownName(one["properties"], known)).find((name) => name !== undefined);
  if (type.endsWith("/networkinterfaces")) return within(ipConfigurations, ipConfigurationNames);
  if (type.endsWith("/networksecuritygroups")) return within(securityRules, ruleNames);
  return unknownName(storageProfile?.["osDisk"], osDiskNames) ?? unknownName(osProfile, osProfileNames);
}

function missingReference(entry: { type: string; body: Json }, azure: Manager): ArmRefusal | undefined {
  for (const id of referencesOf(entry)) {
    if (id.includes("/images/") || id.includes("/diskEncryptionSets/")) continue;
    const found = azure.entry(id);
    if (!id.startsWith(`/subscriptions/${subscriptionId}/`)) return bad("LinkedInvalidPropertyId", `${id} is wrong`);
    if (found === undefined) return new ArmRefusal(404, "NotFound", `Resource ${id} referenced by it was not found.`);
    if (found.state === "Creating") return new ArmRefusal(429, "ReferencedResourceNotProvisioned", `${id} is not ready`);
  }
  return undefined;
}

const rules: Readonly<Record<string, (body: Json, azure: Manager, id: string) => ArmRefusal | undefined | false>> = {
  "microsoft.network/publicipaddresses": ({ sku, properties }) =>
    ((sku as Json | undefined)?.["name"] !== "Standard" && bad("IPv4BasicSkuPublicIpCountLimitReached", "Basic is retired")) ||
    ((properties as Json)["publicIPAllocationMethod"] !== "Static" &&
      bad("PublicIPAllocationMethodNotSupported", "Standard addresses are static")),
  "microsoft.network/networksecuritygroups": (body) => wrongRules(body),
  "microsoft.network/networkinterfaces": (body, azure, id) => nicOfOthers(body, azure, id),
  "microsoft.compute/virtualmachines": (body, azure, id) => wrongMachine(body, azure, id),
};

function wrongRules(body: Json): ArmRefusal | undefined {
  const all = (propertiesOf(body)["securityRules"] ?? []) as { name: string; properties: Json }[];
  const seen = new Set<unknown>();
  for (const { properties } of all) {
    const priority = Number(properties["priority"]);
    if (!(priority >= 100 && priority <= 4096)) return bad("SecurityRuleInvalidPriority", "A priority is 100 to 4096");
    if (seen.has(priority)) return bad("SecurityRuleConflict", "Two rules have one priority");
    seen.add(priority);
    const sources = (properties["sourceAddressPrefixes"] ?? [properties["sourceAddressPrefix"]]) as string[];
    if (new Set(sources.map((one) => one.includes(":"))).size > 1)
      return bad("SecurityRuleMixedFamilies", "IPv4 and IPv6 in one rule");
  }
  return undefined;
}

function nicOfOthers(body: Json, azure: Manager, id: string): ArmRefusal | undefined {
  const addresses = referencesOf({ type: "", body }).filter((one) => one.includes("/publicIPAddresses/"));
  const other = [...azure.entries.values()].find(
    (entry) =>
      entry.type.endsWith("/networkinterfaces") && entry.id !== id && referencesOf(entry).some((one) => addresses.includes(one)),
  );
  return other === undefined ? undefined : bad("PublicIPAddressInUse", `The address is in use by ${other.id}`);
}

function wrongMachine(body: Json, azure: Manager, id: string): ArmRefusal | undefined {
  const { hardwareProfile, storageProfile, osProfile, availabilitySet, priority } = propertiesOf(body) as Record<string, Json>;
  const size = sizes.find(({ name }) => name === hardwareProfile?.["vmSize"]);
  if (size === undefined)
    return bad("InvalidParameter", `The value ${String(hardwareProfile?.["vmSize"])} of parameter vmSize is invalid`);
  if (size.restricted !== undefined)
    return new ArmRefusal(409, "SkuNotAvailable", `${size.name} is not available in location 'westus'.`);
  if (body["zones"] !== undefined && availabilitySet !== undefined)
    return bad("InvalidParameter", "Zones and a set exclude each other");
  if (priority !== undefined && availabilitySet !== undefined) return bad("InvalidParameter", "Spot machines stand in no set");
  const image = (storageProfile?.["imageReference"] ?? {}) as Record<string, string>;
  const found = images[[image["publisher"], image["offer"], image["sku"]].join(":").toLowerCase()];
  if (image["id"] === undefined && !found?.versions.includes(image["version"] ?? ""))
    return new ArmRefusal(404, "PlatformImageNotFound", "The platform image is not available.");
  if (found?.plan !== undefined && body["plan"] === undefined)
    return bad("VMMarketplaceInvalidInput", "Plan information is missing");
  const customData = Buffer.from(String(osProfile?.["customData"]), "base64");
  if (customData.length > 65_535) return bad("InvalidParameter", "Custom data is too large");
  const { ssh } = (osProfile?.["linuxConfiguration"] ?? {}) as { ssh?: { publicKeys: { keyData: string; path: string }[] } };
  const key = ssh?.publicKeys[0];
  if (key?.keyData.startsWith("ssh-rsa ") !== true) return bad("InvalidParameter", "Only RSA keys are supported");
  if (key.path !== `/home/${String(osProfile?.["adminUsername"])}/.ssh/authorized_keys`)
    return bad("InvalidParameter", "The key's path is wrong");
  return nicTaken(body, azure, id);
}

function nicTaken(body: Json, azure: Manager, id: string): ArmRefusal | undefined {
  const nics = referencesOf({ type: "", body }).filter((one) => one.includes("/networkInterfaces/"));
  if (nics.length === 0) return bad("InvalidParameter", "A machine needs a network interface");
  const other = [...azure.entries.values()].find(
    (entry) =>
      entry.type.endsWith("/virtualmachines") && entry.id !== id && referencesOf(entry).some((one) => nics.includes(one)),
  );
  return other === undefined ? undefined : bad("NicInUse", `The interface is in use by ${other.id}`);
}
