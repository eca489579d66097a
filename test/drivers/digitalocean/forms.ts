/** What the fake DigitalOcean keeps, and how the vendor's description writes it. */
import { images, regions, sizeOf, snapshot, vpcs } from "./catalogue.ts";

export interface FakeDroplet {
  readonly id: number;
  readonly name: string;
  tags: readonly string[];
  readonly region: string;
  readonly size: string;
  readonly image: string | number;
  readonly userData: string;
  readonly keyIds: readonly number[];
  readonly wants: Readonly<Record<string, unknown>>;
  readonly createdAt: string;
  status: "new" | "active" | "off" | "archive";
  publicAddress: string;
  privateAddress: string;
}

export interface FakeAction {
  readonly id: number;
  readonly type: string;
  readonly dropletId: number;
  /** How often it is still told to be in progress. */
  reads: number;
  status: "in-progress" | "completed" | "errored";
  readonly finish: () => Promise<void>;
  work: Promise<void> | undefined;
}

export interface FakeKey {
  readonly id: number;
  readonly fingerprint: string;
  readonly public_key: string;
  readonly name: string;
}

export interface FakeFirewall {
  readonly id: string;
  readonly name: string;
  readonly tags: readonly string[];
  readonly rules: Readonly<Record<string, unknown>>;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  return (body ?? {}) as Readonly<Record<string, unknown>>;
}

export function imageNamed(name: string): object | undefined {
  return [...images, snapshot].find(({ id, slug }) => slug === name || String(id) === name);
}

export const notFound = refusal(404, "not_found", "The resource you were accessing could not be found.");

export function ok(body: object): Answer {
  return { status: 200, body };
}

export function refusal(status: number, id: string, message: string): Answer {
  return { status, body: { id, message, request_id: "4d9d8375-3c56-4925-a3e7-eb137fed17e9" } };
}

export function unprocessable(message: string): Answer {
  return refusal(422, "unprocessable_entity", message);
}

function networkForm(address: string, type: string): readonly object[] {
  return address === "" ? [] : [{ ip_address: address, netmask: "255.255.255.0", gateway: "192.0.2.1", type }];
}

export function tagForm(name: string): object {
  return { name, resources: { count: 0 } };
}

export function firewallForm({ id, name, tags, rules }: FakeFirewall): object {
  const more = { status: "succeeded", created_at: "2026-05-23T21:24:00Z", droplet_ids: [], pending_changes: [] };
  return { id, name, tags, ...rules, ...more };
}

export function actionForm({ id, type, status, dropletId }: FakeAction): object {
  const region = regions[0];
  return {
    id,
    type,
    status,
    started_at: "2026-11-14T16:29:21Z",
    completed_at: status === "completed" ? "2026-11-14T16:30:06Z" : null,
    resource_id: dropletId,
    resource_type: "droplet",
    region,
    region_slug: region?.slug,
  };
}

export function dropletForm(droplet: FakeDroplet): object {
  const { id, name, status, tags, publicAddress, privateAddress, wants } = droplet;
  const size = sizeOf(droplet.size);
  const v4 = [networkForm(publicAddress, "public"), networkForm(privateAddress, "private")].flat();
  const v6 = wants["ipv6"] === true ? [{ ip_address: "2001:db8::1", netmask: 64, gateway: "2001:db8::", type: "public" }] : [];
  return {
    ...{ id, name, status, tags, size, memory: size.memory, vcpus: size.vcpus, disk: size.disk, size_slug: droplet.size },
    ...{ locked: false, created_at: droplet.createdAt, features: [], backup_ids: [], next_backup_window: null },
    ...{ snapshot_ids: [], volume_ids: [], vpc_uuid: vpcs[0]?.id },
    image: imageNamed(String(droplet.image)),
    networks: { v4, v6 },
    region: regions.find(({ slug }) => slug === droplet.region),
  };
}
