/**
 * `apply`: does what a plan says, machine by machine, several at once. It holds the fleet's lock all the while; each machine
 * has its own beside that. Whatever ends it, the next plan shows the rest.
 */
import { logTo } from "../../log/event.ts";
import { checkCreate, checkReplacement } from "../../machine/create.ts";
import type { MachineContext, Outcome } from "../../machine/machine-context.ts";
import { forEachMachine, throwFailures } from "../../machine/many.ts";
import type { FileLock } from "../../system/file-lock.ts";
import { membersOf } from "../file/clusters.ts";
import type { SwarmSpec } from "../file/fleet-file.ts";
import { formClusters, leaveClusters } from "./clusters.ts";
import { upgradeEngines, versionOf, type Upgrades } from "./roll-out.ts";
import { createRequest, doWork, type Site } from "./steps.ts";
import type { Work } from "./work.ts";

/** Throws `machine-busy` naming the command that works on the fleet. */
export async function lockFleet(context: MachineContext, fleet: string, purpose: string, signal: AbortSignal): Promise<FileLock> {
  return await context.store.lockFleet(fleet, {
    purpose: `${purpose} of the fleet ${fleet}`,
    waitMs: context.timeouts.lockMs,
    signal,
    onWait: (holder) => logTo(context.reportFor(undefined), "info", `Waiting for ${holder} to finish...`),
  });
}

export interface ApplyRequest extends Upgrades {
  readonly work: readonly Work[];
  readonly swarms: readonly SwarmSpec[];
  /** Machines worked on at the same time. */
  readonly parallel: number;
  /** Called as a machine is done; with what was thrown where it failed. */
  readonly onDone?: ((name: string, error?: unknown) => void) | undefined;
}

/** Throws what is wrong with machines that are to be made, before any is: none is removed for one that could not follow. */
export async function checkWork(site: Site, work: readonly Work[], parallel: number): Promise<void> {
  const made = new Map(
    work.filter(({ kind }) => kind === "create" || kind === "replace").map((each) => [each.machine.name, each]),
  );
  const outcomes = await forEachMachine([...made.keys()], parallel, async (name) => {
    const { kind, machine } = made.get(name) as Work;
    if (machine.spec === undefined) return;
    const request = await createRequest(site, machine.spec);
    await (kind === "create" ? checkCreate : checkReplacement)(site.context, request, site.signal);
  });
  throwFailures(outcomes);
}

/**
 * Who leaves a cluster does so first; then all machines, several at once; then engines that become another version, as the
 * file rolls them out; last who joins a cluster. Each failure stands beside its machine, none hiding another.
 */
export async function applyWork(
  site: Site,
  { work, swarms, parallel, onDone, ...upgrades }: ApplyRequest,
): Promise<Outcome<void>[]> {
  const members = new Set(swarms.flatMap(membersOf));
  const ends = new Ends(site, work, onDone);
  for (const end of await leaveClusters(site, work, swarms)) ends.take(end);
  await forEachMachine(namesOf(ends.left()), parallel, async (name) => {
    const each = ends.workOn(name);
    const end = await outcomeOf(name, async () => {
      await ends.turns.take(each, async () => {
        site.signal.throwIfAborted();
        await doWork(site, each);
      });
    });
    // What is to follow may fail yet.
    if (end.error !== undefined || (versionOf(each) === undefined && !members.has(name))) ends.take(end);
  });
  for (const end of await upgradeEngines(site, ends.left(), upgrades)) if (end.error !== undefined) ends.take(end);
  for (const end of await formClusters(site, swarms, ends.left(), ends.failed())) ends.take(end);
  for (const name of namesOf(ends.left())) ends.take({ name });
  return ends.all();
}

function namesOf(work: readonly Work[]): string[] {
  return [...new Set(work.map(({ machine }) => machine.name))];
}

async function outcomeOf(name: string, work: () => Promise<void>): Promise<Outcome<void>> {
  try {
    await work();
    return { name };
  } catch (error) {
    return { name, error };
  }
}

/** How each machine ended, told as soon as that is so. */
class Ends {
  readonly turns: Turns;
  readonly #site: Site;
  readonly #byName: ReadonlyMap<string, Work>;
  readonly #ends = new Map<string, Outcome<void>>();
  readonly #onDone: ApplyRequest["onDone"];

  constructor(site: Site, work: readonly Work[], onDone: ApplyRequest["onDone"]) {
    this.turns = new Turns(site.context);
    this.#site = site;
    this.#byName = new Map(work.map((each) => [each.machine.name, each]));
    this.#onDone = onDone;
  }

  workOn(name: string): Work {
    return this.#byName.get(name) as Work;
  }

  /** Whose end is not known yet. */
  left(): Work[] {
    return [...this.#byName].flatMap(([name, each]) => (this.#ends.has(name) ? [] : [each]));
  }

  failed(): ReadonlySet<string> {
    return new Set(this.all().flatMap(({ name, error }) => (error === undefined ? [] : [name])));
  }

  all(): Outcome<void>[] {
    return [...this.#byName.keys()].flatMap((name) => this.#ends.get(name) ?? []);
  }

  take(end: Outcome<void>): void {
    const { name, error } = end;
    this.#ends.set(name, end);
    if (error === undefined) this.#site.context.reportFor(name)({ type: "machine-applied", action: this.workOn(name).kind });
    this.#onDone?.(name, error);
  }
}

class Turns {
  readonly #context: MachineContext;
  readonly #last = new Map<string, Promise<void>>();

  constructor(context: MachineContext) {
    this.#context = context;
  }

  async take({ machine: { spec }, kind }: Work, work: () => Promise<void>): Promise<void> {
    if (spec === undefined || kind === "change" || kind === "mark") return await work();
    const module = await this.#context.findDriver(spec.driverName);
    if (module.capabilities.parallelCreate) return await work();
    const before = this.#last.get(spec.driverName) ?? Promise.resolve();
    const turn = before.then(work);
    this.#last.set(
      spec.driverName,
      turn.catch(() => {}),
    );
    await turn;
  }
}
