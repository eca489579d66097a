/** What the parts of the driver work on: one machine, its record and its ledger, and the API. */
import type { DriverPlace } from "../../driver-kit/defined-driver.ts";
import { createMark } from "../../driver-kit/marks.ts";
import { MachineError } from "../../errors/machine-error.ts";
import type { Pace } from "../../system/waiting.ts";
import type { ComputeApi, Instance } from "./api.ts";
import { parseLabels } from "./labels.ts";
import type { GoogleConfig } from "./options.ts";

export type Workplace = DriverPlace<GoogleConfig, ComputeApi>;

/** Kinds of what is made, as the ledger and `findResources` name them. */
export const kinds = { firewall: "firewall", instance: "instance", disk: "disk" } as const;

/** How often the state of an instance is asked for: a project's reads are counted by the minute. */
export const pace: Pace = { firstMs: 1_000, mostMs: 5_000, jitter: 0.2 };

/** 0.16.2 names both by the machine, and finds them so. */
export function instanceNameOf({ config, context }: Pick<Workplace, "config" | "context">): string {
  return config.InstanceName === "" ? context.machineName : config.InstanceName;
}

export function diskNameOf(place: Pick<Workplace, "config" | "context">): string {
  return `${instanceNameOf(place)}-disk`;
}

export function instancePath(place: Pick<Workplace, "config" | "context">): string {
  return `/zones/${place.config.Zone}/instances/${instanceNameOf(place)}`;
}

export function diskPath(place: Pick<Workplace, "config" | "context">): string {
  return `/zones/${place.config.Zone}/disks/${diskNameOf(place)}`;
}

/** What has the machine's name at Google, of whomever. */
export async function namedInstance(place: Workplace, signal: AbortSignal): Promise<Instance | undefined> {
  return await place.api.find<Instance>(instancePath(place), signal);
}

/** This machine's instance; undefined where there is none, or one of the name that is another's. */
export async function ownInstance(place: Workplace, signal: AbortSignal): Promise<Instance | undefined> {
  const found = await namedInstance(place, signal);
  return found !== undefined && isOurs(place, found) ? found : undefined;
}

export async function requireInstance(place: Workplace, signal: AbortSignal): Promise<Instance> {
  const found = await ownInstance(place, signal);
  if (found !== undefined) return found;
  const { config, context } = place;
  throw new MachineError(
    "provider-not-found",
    `The instance ${instanceNameOf(place)} of "${context.machineName}" is gone from ${config.Zone} in the project ${config.Project}`,
    { hint: `Remove the machine and create it again: docker-machine rm ${context.machineName}` },
  );
}

/**
 * Once Google's id is recorded it alone says what is ours: a label goes over to copies. A record of 0.16.2 knows its
 * instance by name only.
 */
export function isOurs({ config, context }: Workplace, { id, labels }: Pick<Instance, "id" | "labels">): boolean {
  if (config.InstanceNumericId !== "") return id === config.InstanceNumericId;
  return bearsMark(context.createId, labels) ?? true;
}

/** Undefined where this machine has no mark. */
export function bearsMark(createId: string | undefined, labels: Instance["labels"]): boolean | undefined {
  const mark = createMark(createId);
  return mark === undefined ? undefined : labels?.[mark.label.key] === mark.label.value;
}

/** On everything that bears labels. */
export function labelsOf({ config, context }: Workplace): Readonly<Record<string, string>> {
  const mark = createMark(context.createId);
  return { ...parseLabels(config.VmLabels), ...(mark === undefined ? {} : { [mark.label.key]: mark.label.value }) };
}
