/** What differs between a machine as it was made and what the file says now. Pure. */
import type { DriverModule } from "../../driver-kit/driver.ts";
import type { FlagValue } from "../../driver-kit/create-flag.ts";
import { isSecretName } from "../../log/secret-names.ts";
import { changeableFlags, type Effort } from "../../machine/reconfigure.ts";
import type { FleetMark, HostExtra } from "../../store/host-record.ts";
import type { Labels } from "../../store/record-labels.ts";
import type { MachineSpec } from "../file/fleet-file.ts";
import { recordedValue } from "./by-hand.ts";
import type { Effect, PlannedChange } from "./plan.ts";

/** What of a driver decides how its flags change. */
export type DriverTraits = Pick<DriverModule, "flags" | "sizeFlags" | "capabilities">;

export interface MadeMachine {
  readonly driverName: string;
  readonly mark: FleetMark;
  readonly labels: Labels;
  readonly isProtected: boolean;
  readonly extra: HostExtra;
}

const effects: Readonly<Record<Effort, Effect>> = {
  record: "record",
  later: "next-upgrade",
  provision: "engine-restart",
  certificate: "engine-restart",
  upgrade: "engine-upgrade",
};

/** In the order of the file, what it says no more at the end. */
export function differences(spec: MachineSpec, made: MadeMachine, driver: DriverTraits, now: Date): PlannedChange[] {
  const ofDriver: PlannedChange[] =
    made.driverName === spec.driverName
      ? []
      : [{ key: "driver", from: made.driverName, to: spec.driverName, effect: "replacement" }];
  return [...ofDriver, ...flagChanges(spec, made, driver, now), ...labelChanges(spec, made), ...protectionChange(spec, made)];
}

function flagChanges(
  spec: MachineSpec,
  { mark: { Flags: before }, extra }: MadeMachine,
  driver: DriverTraits,
  now: Date,
): PlannedChange[] {
  const names = new Set([...Object.keys(spec.flags), ...Object.keys(before)]);
  return [...names].flatMap((name) => {
    const [from, to] = [before[name], spec.flags[name]];
    if (!isSame(from, to)) return [{ key: name, from: shown(from), to: shown(to), effect: effectOf(name, to, driver) }];
    const recorded = to === undefined ? undefined : recordedValue(name, to, extra, now);
    return recorded === undefined ? [] : [{ key: name, from: recorded, to: shown(to), effect: effectOf(name, to, driver) }];
  });
}

/** Of the machine's time, and of whether that may end. */
export const lifetimeFlags: ReadonlySet<string> = new Set(["ttl", "idle", "ttl-power-off"]);

export function isSame(one: FlagValue | undefined, other: FlagValue | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function effectOf(name: string, to: FlagValue | undefined, { flags, sizeFlags, capabilities }: DriverTraits): Effect {
  // To want no version in particular is to be content with the one that is there.
  if (name === "engine-version" && to === undefined) return "record";
  if (lifetimeFlags.has(name)) return "lifetime";
  const changeable = changeableFlags[name];
  // An engine that others look after is not touched.
  if (changeable !== undefined) return capabilities.provisionable ? effects[changeable.effort] : "record";
  // Without a size of its own a machine has its driver's, and which that was nobody knows.
  if (to !== undefined && (name === sizeFlags?.cpus || name === sizeFlags?.memoryMiB)) return "resize";
  const flag = flags.find((each) => each.name === name);
  if (to !== undefined && (flag?.secret ?? isSecretName(name))) return "record";
  return "replacement";
}

/** Labels that others gave are left alone; those that the file gave once and has no more, go. */
function labelChanges(spec: MachineSpec, { mark, labels }: MadeMachine): PlannedChange[] {
  const wanted = Object.entries(spec.labels).flatMap(([key, to]): PlannedChange[] =>
    labels[key] === to ? [] : [{ key: `labels.${key}`, from: labels[key] ?? null, to, effect: "record" }],
  );
  const gone = mark.Labels.flatMap((key): PlannedChange[] =>
    Object.hasOwn(spec.labels, key) || labels[key] === undefined
      ? []
      : [{ key: `labels.${key}`, from: labels[key], to: null, effect: "record" }],
  );
  return [...wanted, ...gone];
}

function protectionChange({ protect }: MachineSpec, { isProtected }: MadeMachine): PlannedChange[] {
  if (protect === undefined || protect === isProtected) return [];
  return [{ key: "protect", from: String(isProtected), to: String(protect), effect: "record" }];
}

export function shown(value: FlagValue | undefined): string | null {
  if (value === undefined) return null;
  return typeof value === "object" ? value.join(", ") : String(value);
}
