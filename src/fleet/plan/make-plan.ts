/**
 * The file against the records: nothing is asked of any machine or provider, and nothing changed. The store is the state of
 * the fleet; each of its machines bears its mark.
 */
import type { DriverModule } from "../../driver-kit/driver.ts";
import { isMachineError, MachineError } from "../../errors/machine-error.ts";
import { fleetMarkOf } from "../../machine/fleet-mark.ts";
import { boxIn } from "../../machine/host/box.ts";
import { openHost } from "../../machine/host/open-host.ts";
import { findInterruption, isBeingUndone, whatHappened } from "../../machine/interruption/interrupted.ts";
import type { JournalReading } from "../../machine/interruption/journal.ts";
import type { MachineContext } from "../../machine/machine-context.ts";
import type { Membership } from "../../machine/swarm/swarm-members.ts";
import { driverNameOf, type HostExtra } from "../../store/host-record.ts";
import type { RecordLook } from "../../store/record-facts.ts";
import { labelsOf } from "../../store/record-labels.ts";
import type { FlagSource } from "../file/flag-source.ts";
import type { FleetFile, MachineSpec } from "../file/fleet-file.ts";
import { differences, type DriverTraits } from "./differences.ts";
import { membershipChange, membershipsIn } from "./memberships.ts";
import type { Plan, PlannedMachine } from "./plan.ts";
import { requirePossible } from "./possible.ts";

/** What of a record is compared. */
interface RecordedMachine {
  readonly driverName: string;
  readonly extra: HostExtra;
  readonly box: string | undefined;
}

/**
 * Throws `fleet-invalid` for what can never come about, `store-unusable`, and `driver-not-found` for a driver that vanished since
 * the file was read.
 */
export async function makePlan(context: MachineContext, file: FleetFile, source: FlagSource): Promise<Plan> {
  return await new Planner(context, file, source).plan();
}

class Planner {
  readonly #context: MachineContext;
  readonly #file: FleetFile;
  readonly #source: FlagSource;
  readonly #memberships: ReadonlyMap<string, Membership>;
  readonly #drivers = new Map<string, Promise<DriverTraits>>();

  constructor(context: MachineContext, file: FleetFile, source: FlagSource) {
    this.#context = context;
    this.#file = file;
    this.#source = source;
    this.#memberships = membershipsIn(file.swarms);
  }

  async plan(): Promise<Plan> {
    const { store } = this.#context;
    const looks = await store.facts(({ driverName, extra, driver }): RecordedMachine => ({
      driverName,
      extra,
      box: boxIn(driver),
    }));
    const byName = new Map(looks.map((look) => [look.name, look]));
    const machines: PlannedMachine[] = [];
    for (const spec of this.#file.machines) machines.push(await this.#planned(spec, byName.get(spec.name)));
    const wanted = new Set(this.#file.machines.map(({ name }) => name));
    for (const look of looks) if (!wanted.has(look.name)) machines.push(...(await this.#leftover(look)));
    const recorded = looks.flatMap(({ name, value }) => {
      return value?.box === undefined ? [] : [{ name, driverName: driverNameOf(value), box: value.box }];
    });
    const warnings = await requirePossible(this.#context, { machines, recorded, swarms: this.#file.swarms }, this.#source);
    return { fleet: this.#file.fleet, machines, warnings };
  }

  async #planned(spec: MachineSpec, look: RecordLook<RecordedMachine> | undefined): Promise<PlannedMachine> {
    const { name } = spec;
    const base = {
      name,
      reason: "",
      changes: [],
      needs: undefined,
      isProtected: false,
      spec,
      exists: look !== undefined,
    } as const;
    if (look === undefined || isMachineError(look.error, "machine-not-found"))
      return { ...base, action: "create", reason: await this.#whatIsMade(spec), exists: false };
    if (look.value === undefined) return { ...base, ...unreadable(look.error) };
    const { driverName, extra } = await this.#withKept(name, look.value);
    const isProtected = extra.Protected === true;
    const mark = fleetMarkOf(extra);
    if (mark === undefined) return { ...base, isProtected, ...(await this.#unmarked(spec)) };
    if (mark.Name !== this.#file.fleet) return { ...base, isProtected, ...ofOthers(name, mark.Name) };
    const journal = await findInterruption(this.#context.store, name);
    const made = { driverName: driverNameOf({ driverName, extra }), mark, labels: labelsOf({ extra }), isProtected, extra };
    const changes = [
      ...differences(spec, made, await this.#traits(spec.driverName), this.#context.clock.now()),
      ...membershipChange(this.#memberships.get(name), extra.SwarmMember),
    ];
    if (journal !== undefined) return { ...base, isProtected, changes, action: "continue", reason: reasonOf(journal) };
    if (changes.length === 0) return { ...base, isProtected, action: "none" };
    const anew = changes.filter(({ effect }) => effect === "replacement");
    const action = anew.length === changes.length ? "replace" : "change";
    return { ...base, isProtected, changes, action, needs: anew.length === 0 ? undefined : "replace" };
  }

  async #whatIsMade({ driverName, flags, protect }: MachineSpec): Promise<string> {
    const { sizeFlags } = await this.#traits(driverName);
    const sizes = [sizeFlags?.cpus, sizeFlags?.memoryMiB].flatMap((name) => (name === undefined ? [] : [flags[name]]));
    const version = flags["engine-version"];
    const parts = [
      ...sizes.flatMap((size) => (size === undefined ? [] : [String(size)])),
      ...(version === undefined ? [] : [`engine ${String(version)}`]),
      ...(protect === true ? ["protected"] : []),
    ];
    return [driverName, ...parts].join(", ");
  }

  /** A machine of the file that no fleet made: it may become this one's if it is as the file says. */
  async #unmarked(spec: MachineSpec): Promise<Standpoint> {
    const { findObjections } = await import("./adoption.ts");
    const { name } = spec;
    const journal = await findInterruption(this.#context.store, name);
    if (journal !== undefined) return refused(name, `was not made by this file, and its ${whatHappened(journal)}`);
    const objections = await findObjections(this.#context, spec, this.#source);
    if (objections.length === 0) return { action: "mark", reason: "it exists, and is as the file says" };
    const hint = `How it would stand in the file: docker-machine plan --import ${name}`;
    return refused(name, `was not made by this file, and differs from it: ${objections.join("; ")}`, hint);
  }

  /** What bears this fleet's mark and is in its file no more. */
  async #leftover({ name, value }: RecordLook<RecordedMachine>): Promise<PlannedMachine[]> {
    if (value === undefined || fleetMarkOf(value.extra)?.Name !== this.#file.fleet) return [];
    const journal = await findInterruption(this.#context.store, name);
    return [
      {
        name,
        action: "remove",
        reason:
          journal === undefined ? "it is in the file no more" : `it is in the file no more, and its ${whatHappened(journal)}`,
        changes: [],
        needs: "prune",
        isProtected: value.extra.Protected === true,
        spec: undefined,
        exists: true,
      },
    ];
  }

  /** A save of 0.16.2 drops all that it does not know; it is kept beside the record. */
  async #withKept(name: string, seen: RecordedMachine): Promise<RecordedMachine> {
    if (Object.keys(seen.extra).length > 0) return seen;
    await using host = await openHost(this.#context, name);
    return { ...seen, extra: host.record.extra };
  }

  async #traits(driverName: string): Promise<DriverTraits> {
    const known = this.#drivers.get(driverName) ?? this.#load(driverName);
    this.#drivers.set(driverName, known);
    return await known;
  }

  /** A plugin's module does not know its flags; whoever read the file does. */
  async #load(driverName: string): Promise<DriverTraits> {
    const module: DriverModule = await this.#context.findDriver(driverName);
    const { sizeFlags, capabilities } = module;
    return { flags: await this.#source.flagsOf(driverName), sizeFlags, capabilities };
  }
}

type Standpoint = Pick<PlannedMachine, "action" | "reason" | "refusal">;

/** @param what a clause without its subject: `is of the fleet shop` */
function refused(name: string, what: string, hint?: string): Standpoint {
  const refusal = new MachineError("fleet-foreign", `"${name}" ${what}`, { hint });
  return { action: "refuse", reason: `it ${what}`, refusal };
}

function ofOthers(name: string, fleet: string): Standpoint {
  return refused(
    name,
    `is of the fleet ${fleet}`,
    `Take it out of this file, or name the file of the fleet ${fleet} with --file.`,
  );
}

function unreadable(error: unknown): Standpoint {
  if (!isMachineError(error)) throw error;
  return { action: "refuse", reason: error.message, refusal: error };
}

function reasonOf(journal: JournalReading): string {
  const what = whatHappened(journal);
  if (journal.command === "rm" || isBeingUndone(journal)) return `its ${what}: that is finished, and it is made anew`;
  return `its ${what}: it is gone on with`;
}
