/**
 * `apply`: does what a plan says, machine by machine, several at once. It holds the fleet's lock all the while; each machine
 * has its own beside that. Whatever ends it, the next plan shows the rest.
 */
import { logTo } from "../../log/event.ts";
import { checkCreate, checkReplacement } from "../../machine/create.ts";
import type { MachineContext, Outcome } from "../../machine/machine-context.ts";
import { forEachMachine, throwFailures } from "../../machine/many.ts";
import type { FileLock } from "../../system/file-lock.ts";
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

export interface ApplyRequest {
  readonly work: readonly Work[];
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

/** Each failure beside its machine, none hiding another. Of drivers that make one machine at a time, one is at a time. */
export async function applyWork(site: Site, { work, parallel, onDone }: ApplyRequest): Promise<Outcome<void>[]> {
  const byName = new Map(work.map((each) => [each.machine.name, each]));
  const turns = new Turns(site.context);
  return await forEachMachine([...byName.keys()], parallel, async (name) => {
    const each = byName.get(name) as Work;
    try {
      await turns.take(each, async () => {
        site.signal.throwIfAborted();
        await doWork(site, each);
      });
      site.context.reportFor(name)({ type: "machine-applied", action: each.kind });
      onDone?.(name);
    } catch (error) {
      onDone?.(name, error);
      throw error;
    }
  });
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
