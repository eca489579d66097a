/**
 * The mark of a fleet in a machine's record (`Extra.Fleet`): whose file made it, and what that said. There is no other state
 * of a fleet. A new machine has its mark from its first moment, so that a create that is cut off is not somebody's.
 */
import type { FlagValue } from "../driver-kit/create-flag.ts";
import type { FleetMark, HostExtra } from "../store/host-record.ts";
import type { Labels } from "../store/record-labels.ts";
import { openHost } from "./host/open-host.ts";
import { lockMachine } from "./interruption/machine-lock.ts";
import type { MachineContext } from "./machine-context.ts";

export function fleetMark(fleet: string, flags: Readonly<Record<string, FlagValue>>, labels: Labels): FleetMark {
  const copied = Object.entries(flags).map(([name, value]) => [name, typeof value === "object" ? [...value] : value] as const);
  return { Name: fleet, Flags: Object.fromEntries(copied), Labels: Object.keys(labels) };
}

/** The mark in a record; undefined for what is none, as others may have written it. */
export function fleetMarkOf({ Fleet: mark }: HostExtra): FleetMark | undefined {
  const isObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(mark) || typeof mark?.Name !== "string") return undefined;
  return {
    Name: mark.Name,
    Flags: isObject(mark.Flags) ? mark.Flags : {},
    Labels: Array.isArray(mark.Labels) ? mark.Labels : [],
  };
}

/**
 * Another command has given what the file gave: the next plan holds that against the file. Of what the file did not say,
 * nothing is noted.
 */
export function noteInMark(extra: HostExtra, flag: string, value: string | number): void {
  const mark = fleetMarkOf(extra);
  const before = mark?.Flags[flag];
  if (mark === undefined || before === undefined) return;
  extra.Fleet = { ...mark, Flags: { ...mark.Flags, [flag]: typeof before === "string" ? String(value) : value } };
}

/** Records what was applied. Throws `machine-not-found`. */
export async function markMachine(context: MachineContext, name: string, mark: FleetMark, signal: AbortSignal): Promise<void> {
  await using _lock = await lockMachine(context, name, "apply", signal);
  await using host = await openHost(context, name);
  host.record.extra.Fleet = mark;
  await host.save();
}
