/** What the fake resource manager offers: a subscription, locations, sizes, quotas and images, as Azure tells of them. */

export const subscriptionId = "11111111-2222-4333-8444-555555555555";
export const tenantId = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

export const locations = ["westus", "westeurope", "northeurope"].map((name) => ({ name, metadata: { regionType: "Physical" } }));

interface SizeWish {
  readonly name: string;
  readonly cpus?: number;
  readonly architecture?: "x64" | "Arm64";
  readonly generations?: string;
  readonly family?: string;
  /** Reason why the subscription cannot have it. */
  readonly restricted?: string;
  readonly zones?: readonly string[];
  readonly able?: boolean;
}

export const sizes: readonly SizeWish[] = [
  { name: "Standard_B2s_v2", zones: ["1", "2", "3"], able: true },
  { name: "Standard_B2as_v2", zones: ["1"] },
  { name: "Standard_D2s_v5", zones: ["1", "2"], family: "standardDSv5Family", able: true },
  { name: "Standard_D2ps_v5", architecture: "Arm64", generations: "V2", family: "standardDPSv5Family" },
  { name: "Standard_D64s_v5", cpus: 64, family: "standardDSv5Family" },
  { name: "Standard_NC6", restricted: "NotAvailableForSubscription", generations: "V1" },
  { name: "Standard_A1", generations: "V1", cpus: 1 },
];

export function skuOf({
  name,
  cpus = 2,
  architecture = "x64",
  generations = "V1,V2",
  family = "standardBsv2Family",
  ...size
}: SizeWish): object {
  const able = size.able === true ? "True" : "False";
  return {
    resourceType: "virtualMachines",
    name,
    family,
    locations: ["westus"],
    locationInfo: [{ location: "westus", zones: size.zones ?? [] }],
    capabilities: [
      { name: "vCPUs", value: String(cpus) },
      { name: "CpuArchitectureType", value: architecture },
      { name: "HyperVGenerations", value: generations },
      { name: "AcceleratedNetworkingEnabled", value: able },
      { name: "LowPriorityCapable", value: able },
      { name: "EncryptionAtHostSupported", value: able },
      { name: "PremiumIO", value: able },
    ],
    restrictions: size.restricted === undefined ? [] : [{ type: "Location", values: ["westus"], reasonCode: size.restricted }],
  };
}

export const usages = [
  { currentValue: 4, limit: 20, unit: "Count", name: { value: "cores", localizedValue: "Total Regional vCPUs" } },
  {
    currentValue: 0,
    limit: 10,
    unit: "Count",
    name: { value: "standardBsv2Family", localizedValue: "Standard Bsv2 Family vCPUs" },
  },
  {
    currentValue: 0,
    limit: 10,
    unit: "Count",
    name: { value: "standardDSv5Family", localizedValue: "Standard DSv5 Family vCPUs" },
  },
  { currentValue: 0, limit: 3, unit: "Count", name: { value: "lowPriorityCores", localizedValue: "Total Regional Spot vCPUs" } },
];

interface FakeImage {
  readonly versions: readonly string[];
  readonly architecture: "x64" | "Arm64";
  readonly hyperVGeneration: "V1" | "V2";
  readonly sizeInGb?: number;
  readonly plan?: { readonly publisher: string; readonly product: string; readonly name: string };
}

/** By `publisher:offer:sku`, in lower case. */
export const images: Readonly<Record<string, FakeImage>> = {
  ...ubuntu("26_04", ["26.04.202608010", "26.04.202610010"]),
  ...ubuntu("24_04", ["24.04.202610010"]),
  "canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2": image("V2", ["22.04.202610010"]),
  "debian:debian-13:13-gen2": image("V2", ["0.20261001.1"]),
  "big:huge:disk": { ...image("V2", ["1.0.0"]), sizeInGb: 127 },
  "shop:ware:paid": { ...image("V2", ["1.0.0"]), plan: { publisher: "shop", product: "ware", name: "paid" } },
};

function ubuntu(release: string, versions: readonly string[]): Readonly<Record<string, FakeImage>> {
  const offer = `canonical:ubuntu-${release}-lts`;
  return {
    [`${offer}:server`]: image("V2", versions),
    [`${offer}:server-gen1`]: image("V1", versions),
    [`${offer}:server-arm64`]: { ...image("V2", versions), architecture: "Arm64" },
  };
}

function image(hyperVGeneration: "V1" | "V2", versions: readonly string[]): FakeImage {
  return { versions, architecture: "x64", hyperVGeneration, sizeInGb: 30 };
}
