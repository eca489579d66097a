/**
 * The mark of a fleet in a machine's record (`Extra.Fleet`): whose file made it, and what that said. There is no other state
 * of a fleet. A new machine has its mark from its first moment, so that a create that is cut off is not somebody's.
 */
import type { FleetMark, HostExtra } from "../store/host-record.ts";

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
