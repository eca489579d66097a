/** What the parts of the driver work on: one machine, its record and its ledger, and the API. */
import type { DriverPlace } from "../../driver-kit/defined-driver.ts";
import { createMark } from "../../driver-kit/marks.ts";
import type { Pace } from "../../system/waiting.ts";
import type { DigitalOceanApi, Droplet } from "./api.ts";
import type { DigitalOceanConfig } from "./options.ts";

export type Workplace = DriverPlace<DigitalOceanConfig, DigitalOceanApi>;

/** Kinds of what is made, as the ledger and `findResources` name them. */
export const kinds = { firewall: "firewall", instance: "instance", sshKey: "ssh-key", tag: "tag" } as const;

/** How often the state of a droplet or an action is asked for: 20 machines at once stay under 250 requests a minute. */
export const pace: Pace = { firstMs: 2_000, mostMs: 8_000, jitter: 0.2 };

/** The recorded droplet; undefined where none is recorded, or it is gone. */
export async function recordedDroplet({ api, config }: Workplace, signal: AbortSignal): Promise<Droplet | undefined> {
  if (config.DropletID === 0) return undefined;
  return (await api.find<{ droplet: Droplet }>(`/v2/droplets/${config.DropletID}`, signal))?.droplet;
}

/**
 * All droplets that this create made, the oldest first: those that bear its mark and the machine's name. Tags do not go
 * over to snapshots and what is made of them, so the mark counts where an id is recorded too: a request that was heard
 * twice has made a second one.
 */
export async function markedDroplets({ api, context, config }: Workplace, signal: AbortSignal): Promise<readonly Droplet[]> {
  const mark = createMark(context.createId);
  if (mark === undefined || config.RequestedAt === "") return [];
  const found = await api.list<Droplet>("/v2/droplets", "droplets", { tag_name: mark.word }, signal);
  return found.filter(({ name }) => name === context.machineName).toSorted((a, b) => a.id - b.id);
}
