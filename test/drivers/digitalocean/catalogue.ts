/** What the fake DigitalOcean has to offer, in the forms of the vendor's description. */

export const regions = [
  regionOf("nyc3", "New York 3", true),
  regionOf("fra1", "Frankfurt 1", true),
  { ...regionOf("sfo1", "San Francisco 1", false), sizes: [] },
];

function regionOf(slug: string, name: string, available: boolean) {
  const sizes = ["s-1vcpu-1gb", "s-2vcpu-2gb", ...(slug === "fra1" ? ["g-2vcpu-8gb"] : [])];
  return { slug, name, available, features: ["backups", "ipv6", "metadata", "install_agent"], sizes };
}

export function sizeOf(slug: string) {
  const [vcpus, gib] = [...slug.matchAll(/\d+/gu)].map(([number]) => Number(number));
  return {
    slug,
    memory: (gib ?? 1) * 1024,
    vcpus: vcpus ?? 1,
    disk: 25,
    transfer: 1,
    price_monthly: 6,
    price_hourly: 0.00893,
    regions: regions.filter(({ sizes }) => sizes.includes(slug)).map((region) => region.slug),
    available: true,
    description: "Basic",
  };
}

const distributions: readonly (readonly [distribution: string, slug: string])[] = [
  ["Ubuntu", "ubuntu-22-04-x64"],
  ["Ubuntu", "ubuntu-24-04-x64"],
  ["Ubuntu", "ubuntu-25-10-x64"],
  ["Ubuntu", "ubuntu-26-04-x64"],
  ["Debian", "debian-12-x64"],
  ["Debian", "debian-13-x64"],
  ["CentOS", "centos-stream-9-x64"],
];

export const images = [
  ...distributions.map(([distribution, slug], index) => imageOf(1000 + index, distribution, slug, ["nyc3", "fra1"])),
  imageOf(2000, "Fedora", "fedora-42-x64", ["fra1"]),
];

/** A snapshot of the account's: it has a number and no slug. */
export const snapshot = { ...imageOf(777, "Ubuntu", null, ["nyc3"]), type: "snapshot" };

function imageOf(id: number, distribution: string, slug: string | null, where: readonly string[]) {
  return {
    id,
    name: slug ?? "mine",
    type: "base",
    distribution,
    slug,
    public: slug !== null,
    regions: where,
    created_at: "2026-05-01T00:00:00Z",
    min_disk_size: 7,
    size_gigabytes: 0.5,
    description: "",
    tags: [],
    status: "available",
    error_message: "",
  };
}

export const vpcs = [
  vpcOf("5a4981aa-9653-4bd1-bef5-d6bff52042e4", "default-nyc3", "nyc3"),
  vpcOf("e0fe0f4d-596a-465e-a902-571ce57b79fa", "default-fra1", "fra1"),
];

export const projects = [
  projectOf("addb4547-6bab-419a-8542-76263a033cf6", "Default", true),
  projectOf("4e1bfbc3-dc3e-41f2-a18f-1b4d7ba71679", "Web shop", false),
];

function projectOf(id: string, name: string, isDefault: boolean) {
  return {
    ...{ id, name, owner_id: 258_992, owner_uuid: "99525febec065ca37b2ffe4f852fd2b2581895e7", is_default: isDefault },
    ...{ description: "", purpose: "Service or API", environment: "Production" },
    ...{ created_at: "2018-09-27T20:10:35Z", updated_at: "2018-09-27T20:10:35Z" },
  };
}

function vpcOf(id: string, name: string, region: string) {
  return {
    id,
    name,
    region,
    description: "",
    ip_range: "10.10.10.0/24",
    default: true,
    urn: `do:vpc:${id}`,
    created_at: "2020-03-13T19:20:47.442049222Z",
  };
}
