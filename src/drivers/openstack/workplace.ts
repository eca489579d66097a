/** What the parts of the driver work on: one machine, its record and its ledger, the services, and what they tell. */
import type { DriverPlace } from "../../driver-kit/defined-driver.ts";
import { createMark } from "../../driver-kit/marks.ts";
import type { Pace } from "../../system/waiting.ts";
import type { OpenStackApi } from "./api.ts";
import { metadataOf, type OpenStackConfig } from "./options.ts";

export type Workplace = DriverPlace<OpenStackConfig, OpenStackApi>;

/** Kinds of what is made, as the ledger and `findResources` name them. */
export const kinds = {
  floatingIp: "floating-ip",
  instance: "instance",
  keyPair: "key-pair",
  securityGroup: "security-group",
  volume: "volume",
} as const;

/** How often a state is asked for: 20 machines at once ask four times a second. */
export const pace: Pace = { firstMs: 1_000, mostMs: 5_000, jitter: 0.2 };

/** Nova's server (https://docs.openstack.org/api-ref/compute/#servers-servers), as far as it is read. */
export interface Server {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
  readonly addresses?: Readonly<Record<string, readonly ServerAddress[]>> | undefined;
  readonly fault?: { readonly code?: number | undefined; readonly message?: string | undefined } | undefined;
  readonly created?: string | undefined;
  readonly "OS-EXT-STS:task_state"?: string | null | undefined;
}

export interface ServerAddress {
  readonly addr: string;
  readonly version: number;
  readonly "OS-EXT-IPS:type"?: string | undefined;
}

/** The work that Nova is at; "" while there is none. */
export function taskOf(server: Server): string {
  return server["OS-EXT-STS:task_state"] ?? "";
}

/** The recorded server; undefined where none is recorded, or it is gone. */
export async function recordedServer({ api, config }: Workplace, signal: AbortSignal): Promise<Server | undefined> {
  if (config.MachineId === "") return undefined;
  const found = await api.find<{ server: Server }>("compute", `/servers/${config.MachineId}`, signal);
  return found === undefined || isGone(found.server) ? undefined : found.server;
}

/** Of clouds that keep deleted servers for a while. */
export function isGone({ status }: Server): boolean {
  return status === "DELETED" || status === "SOFT_DELETED";
}

/** What of a kind bears this create's mark and name, the oldest first. Empty without a mark. */
export async function marked(place: Workplace, kind: string, signal: AbortSignal): Promise<readonly Marked[]> {
  const mark = createMark(place.context.createId);
  const look = mark === undefined ? undefined : lookups[kind];
  return mark === undefined || look === undefined ? [] : await look(place, mark.word, signal);
}

export interface Marked {
  readonly id: string;
}

export interface FloatingIp extends Marked {
  readonly floating_ip_address: string;
  readonly port_id: string | null;
}

export interface Volume extends Marked {
  readonly name: string;
  readonly status: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly created_at?: string | undefined;
}

/** Bears the mark in what is there for texts: metadata, or the description. */
const lookups: Readonly<Record<string, (place: Workplace, word: string, signal: AbortSignal) => Promise<readonly Marked[]>>> = {
  [kinds.instance]: async (place, _word, signal) => {
    const { machineName } = place.context;
    // Nova takes a regular expression.
    const query = { name: `^${machineName.replaceAll(".", "\\.")}$` };
    const found = await place.api.list<Server>("compute", "/servers/detail", "servers", query, signal);
    const ours = found.filter((server) => server.name === machineName && !isGone(server) && bears(place, server.metadata));
    return ours.toSorted((a, b) => (a.created ?? "").localeCompare(b.created ?? ""));
  },
  [kinds.floatingIp]: async ({ api }, description, signal) =>
    await api.list<FloatingIp>("network", "/floatingips", "floatingips", { description }, signal),
  [kinds.securityGroup]: async ({ api }, description, signal) =>
    await api.list<Marked>("network", "/security-groups", "security_groups", { description }, signal),
  [kinds.volume]: async (place, _word, signal) => {
    const query = { name: volumeNameOf(place) };
    const found = await place.api.list<Volume>("volume", "/volumes/detail", "volumes", query, signal);
    return found.filter((volume) => bears(place, volume.metadata));
  },
};

/** The data volume's. */
export function volumeNameOf({ config, context }: Workplace): string {
  return config.VolumeName === "" ? `${context.machineName}-data` : config.VolumeName;
}

function bears({ context }: Workplace, metadata: Readonly<Record<string, string>> | undefined): boolean {
  const mark = createMark(context.createId);
  return mark !== undefined && metadata?.[mark.label.key] === mark.label.value;
}

/** What is written on all that has metadata: the mark and the user's own. */
export function ownMetadata({ config, context }: Workplace): Readonly<Record<string, string>> {
  const mark = createMark(context.createId);
  return { ...metadataOf(config), ...(mark === undefined ? {} : { [mark.label.key]: mark.label.value }) };
}
