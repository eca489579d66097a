/** What a fleet's file says, as plain data: what every other room of this folder works with. Times are in milliseconds. */
import type { FlagValue } from "../../driver-kit/create-flag.ts";
import type { RolloutSpec } from "../../machine/rollout/upgrade-to.ts";
import type { Labels } from "../../store/record-labels.ts";
import type { Place } from "../../system/yaml-text.ts";

export interface FleetFile {
  /** Its path as it was given. */
  readonly file: string;
  /** The fleet's name: what its machines are marked with. */
  readonly fleet: string;
  /** In the order of the file; of a range in the order of its numbers. */
  readonly machines: readonly MachineSpec[];
  readonly rollout: RolloutSpec;
  readonly swarms: readonly SwarmSpec[];
  /** What is allowed and hardly meant; one sentence each. */
  readonly warnings: readonly string[];
}

export interface MachineSpec {
  readonly name: string;
  /** Where the machine stands: the last entry that is about it. */
  readonly place: Place;
  readonly driverName: string;
  /** Create flags by name, those of the engine and of its time to live among them; secrets are references. */
  readonly flags: Readonly<Record<string, FlagValue>>;
  /** Where each of them stands. */
  readonly places: ReadonlyMap<string, Place>;
  readonly labels: Labels;
  /** Undefined = as it is. */
  readonly protect: boolean | undefined;
}

/** A cluster of swarm mode. Every member is a machine of the file, and of no other cluster. */
export interface SwarmSpec {
  readonly name: string;
  readonly place: Place;
  /** One at least. */
  readonly managers: readonly string[];
  readonly workers: readonly string[];
  /** UDP port of the overlay network; undefined = the engine's own choice. */
  readonly dataPathPort: number | undefined;
}

export const defaultRollout: RolloutSpec = {
  maxUnavailable: { machines: 1 },
  maxFail: 0,
  first: undefined,
  pauseMs: 0,
  healthy: { containers: "as-before", command: undefined, withinMs: 120_000 },
};
