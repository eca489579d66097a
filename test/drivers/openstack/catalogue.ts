/** What the fake OpenStack has to offer. */

export const projectId = "b5a3f0c2e7d64d0f9a4c1b2d3e4f5a6b";
const otherProjectId = "00000000000000000000000000000001";
export const userId = "9f8e7d6c5b4a39281706f5e4d3c2b1a0";

function flavorOf(
  id: string,
  name: string,
  vcpus: number,
  ram: number,
  disk: number,
  specs: Readonly<Record<string, string>> = {},
) {
  const more = { "OS-FLV-EXT-DATA:ephemeral": 0, "OS-FLV-DISABLED:disabled": false, "os-flavor-access:is_public": true };
  return { id, name, vcpus, ram, disk, swap: "", rxtx_factor: 1, description: null, links: [], ...more, extra_specs: specs };
}

export const flavors = [
  flavorOf("1", "m1.tiny", 1, 512, 1),
  flavorOf("2", "m1.small", 1, 2_048, 20),
  flavorOf("3", "m1.large", 4, 8_192, 80),
  flavorOf("4", "v1.small", 1, 2_048, 0),
  flavorOf("5", "a1.small", 1, 2_048, 20, { "trait:HW_ARCH_AARCH64": "required" }),
  flavorOf("6", "a2.small", 1, 2_048, 20, { "capabilities:cpu_info:arch": "s== aarch64" }),
];

interface ImageWish {
  readonly min_disk?: number;
  readonly min_ram?: number;
  readonly status?: string;
  readonly created_at?: string;
  readonly architecture?: string;
  readonly os_distro?: string;
  readonly os_version?: string;
}

function imageOf(id: string, name: string, wish: ImageWish = {}) {
  const times = { created_at: "2026-05-01T00:00:00Z", updated_at: "2026-05-01T00:00:00Z" };
  const common = { visibility: "public", disk_format: "qcow2", container_format: "bare", protected: false, os_hidden: false };
  return {
    id,
    name,
    status: "active",
    min_disk: 0,
    min_ram: 0,
    size: 600 * 1024 ** 2,
    owner: otherProjectId,
    tags: [],
    ...common,
    ...times,
    ...wish,
  };
}

const uuid = (last: number): string => `11111111-2222-4333-8444-${String(last).padStart(12, "0")}`;

export const images = [
  imageOf(uuid(1), "Ubuntu 22.04 LTS"),
  imageOf(uuid(2), "Ubuntu 24.04 LTS", { min_disk: 4 }),
  imageOf(uuid(3), "Ubuntu 24.04 LTS", { min_disk: 4, created_at: "2026-09-01T00:00:00Z" }),
  imageOf(uuid(4), "ubuntu-26.04-arm64", { architecture: "aarch64" }),
  imageOf(uuid(5), "noble-minimal", { os_distro: "ubuntu", os_version: "24.04", created_at: "2026-02-01T00:00:00Z" }),
  imageOf(uuid(6), "debian-12-x86_64", { architecture: "x86_64" }),
  imageOf(uuid(7), "Debian 13 (trixie)"),
  imageOf(uuid(8), "Rocky Linux 9", { min_ram: 1_024 }),
  imageOf(uuid(9), "huge", { min_disk: 200 }),
  imageOf(uuid(10), "asleep", { status: "deactivated" }),
  imageOf(uuid(11), "debian-13-arm64"),
];

export const ids = { image: uuid, network: networkId };

function networkId(last: number): string {
  return `22222222-2222-4333-8444-${String(last).padStart(12, "0")}`;
}

export interface FakeNetwork {
  readonly id: string;
  readonly name: string;
  readonly shared: boolean;
  readonly external: boolean;
  /** By IP version. */
  readonly subnets: Readonly<Partial<Record<4 | 6, string>>>;
  /** Whether a router leads from it to the external network. */
  readonly routed: boolean;
}

function networkOf(last: number, name: string, more: Partial<FakeNetwork> = {}): FakeNetwork {
  return {
    id: networkId(last),
    name,
    shared: false,
    external: false,
    subnets: { 4: networkId(100 + last) },
    routed: true,
    ...more,
  };
}

export const privateNetwork = networkOf(1, "private", { subnets: { 4: networkId(101), 6: networkId(201) } });

export const networks: readonly FakeNetwork[] = [
  privateNetwork,
  networkOf(2, "public", { external: true, subnets: { 4: networkId(102) } }),
];

export const moreNetworks = {
  second: networkOf(3, "second"),
  again: networkOf(4, "private"),
  bare: networkOf(5, "bare", { subnets: {} }),
  island: networkOf(6, "island", { routed: false }),
} as const satisfies Readonly<Record<string, FakeNetwork>>;

export const zones = [
  { zoneName: "nova", zoneState: { available: true }, hosts: null },
  { zoneName: "cellar", zoneState: { available: false }, hosts: null },
];

export const serverGroups = [
  {
    id: "33333333-2222-4333-8444-000000000001",
    name: "apart",
    policy: "anti-affinity",
    rules: {},
    members: [],
    project_id: projectId,
    user_id: userId,
  },
];

export const volumeTypes = [
  { id: "44444444-2222-4333-8444-000000000001", name: "ssd", is_public: true, description: null, extra_specs: {} },
  { id: "44444444-2222-4333-8444-000000000002", name: "slow", is_public: true, description: null, extra_specs: {} },
];
